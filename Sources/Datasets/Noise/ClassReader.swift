import Diagnostics

/// Understands classes that are written as names or as numbers: all words of one source (a label file,
/// a map, an option) are read the same way.
///
/// Names go first: where classes are called "1", "2", "3" and all words are among them, the word 1 means
/// the class of that name and not the second one. As soon as one word is no name, all of them are
/// numbers.
public struct ClassReader {
    let classCount: Int
    let classNames: [String]?
    private let byName: [String: Int]
    /// Whether words are numbers and not names.
    let readsNumbers: Bool

    /// - Parameter words: all that the source holds.
    public init(classCount: Int, classNames: [String]?, words: some Sequence<String>) {
        self.classCount = classCount
        self.classNames = classNames
        var byName: [String: Int] = [:]
        let names = (classNames ?? []).prefix(classCount)
        for (c, name) in names.enumerated() where byName[name] == nil { byName[name] = c }
        // Names are written with their control characters escaped.
        for (c, name) in names.enumerated() {
            let escaped = PlainText.escaped(name)
            if byName[escaped] == nil { byName[escaped] = c }
        }
        self.byName = byName
        let different = Set(words)
        readsNumbers =
            !different.allSatisfy { byName[$0] != nil }
            && different.allSatisfy { ClassReader.isNumber($0) }
    }

    public subscript(word: String) -> Int? {
        readsNumbers ? ClassReader.number(word, below: classCount) : byName[word]
    }

    private static func number(_ word: String, below count: Int) -> Int? {
        Int(word).flatMap { 0..<count ~= $0 ? $0 : nil }
    }

    /// Also one that is too large for anything.
    private static func isNumber(_ word: String) -> Bool {
        let digits = word.utf8.drop { $0 == UInt8(ascii: "-") }
        return !digits.isEmpty && digits.allSatisfy { 0x30...0x39 ~= $0 }
    }

    var expected: String {
        classNames == nil
            ? "a number 0...\(classCount - 1)"
            : "class names, or numbers 0...\(classCount - 1) throughout"
    }

    /// Only a near name; a list of a hundred classes would not help.
    func hint(for word: String) -> String? {
        Suggestion.nearest(to: word, among: Array((classNames ?? []).prefix(1000)))
            .map { "did you mean \"\(Problem.oneLine($0, limit: 60))\"?" }
    }
}
