/// Nearest-word suggestions for unknown keys, method names and options.
public enum Suggestion {
    /// The candidate nearest to `word` by edit distance (insertions, deletions, substitutions,
    /// swaps of neighbours), if it is near enough to be what was meant: at most a third of the
    /// word's length, and at least two letters in common. One letter never stands for
    /// anything, and names that differ in their numbers only (resnet20, resnet56) never for each
    /// other: nobody mistypes those. Ties go to the earlier candidate. Where nothing is near, three
    /// or more letters stand for the only candidate that begins with them.
    public static func nearest(to word: String, among candidates: [String]) -> String? {
        // Words come from hostile files too: nobody mistypes more than 64 characters.
        guard word.utf8.count <= 256, (2...64).contains(word.count) else { return nil }
        let wanted = folded(word)
        var best: (distance: Int, word: String)?
        for candidate in candidates where candidate.count > 1 && candidate.utf8.count <= 256 {
            let other = folded(candidate)
            let d = distance(wanted, other)
            let isNear =
                d == 0 || squeezed(wanted) == squeezed(other)
                || (d <= wanted.count / 3
                    && d <= min(wanted.count, other.count) - 2
                    && !differOnlyInNumbers(wanted, other))
            if isNear, d < best?.distance ?? .max { best = (d, candidate) }
        }
        if let best { return best.word }
        // `eval` is evaluate.
        let begun = candidates.filter { folded($0).hasPrefix(wanted) }
        return wanted.count >= 3 && begun.count == 1 ? begun[0] : nil
    }

    /// What people mix up in names: case, and `_` for `-`.
    private static func folded(_ word: String) -> String {
        word.lowercased().replacing("_", with: "-")
    }

    private static func squeezed(_ word: String) -> String { word.filter { $0 != "-" } }

    private static func differOnlyInNumbers(_ a: String, _ b: String) -> Bool {
        letters(a) == letters(b) && a.contains(where: \.isNumber) && b.contains(where: \.isNumber)
    }

    private static func letters(_ word: String) -> String { word.filter(\.isLetter) }

    /// `did you mean "x"?`, or the list of what there is when nothing is near.
    public static func hint(for word: String, among candidates: [String]) -> String {
        if let near = nearest(to: word, among: candidates) {
            return "did you mean \"\(Problem.oneLine(near, limit: 60))\"?"
        }
        // Of the networks called resnet, all are worth naming to someone who asks for another.
        let wanted = word.count <= 64 && word.utf8.count <= 256 ? letters(folded(word)) : ""
        let alike =
            wanted.count > 1
            ? candidates.filter { $0.utf8.count <= 256 && letters(folded($0)) == wanted } : []
        return "one of: " + list(alike.count > 1 ? alike : candidates)
    }

    /// Words in a row; of a row that is longer than a line can hold, its beginning and how many there are.
    private static func list(_ words: [String]) -> String {
        let words = words.map { Problem.oneLine($0, limit: 60) }
        let whole = words.joined(separator: ", ")
        guard whole.count > longest else { return whole }
        var length = 0
        let shown = words.prefix { word in
            length += word.count + 2
            return length <= longest
        }
        return shown.joined(separator: ", ") + ", … (\(words.count) in all)"
    }

    /// Characters of a list.
    private static let longest = 200

    /// Optimal string alignment distance (Damerau–Levenshtein without repeated edits).
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.prefix(64))
        let b = Array(b.prefix(64))
        var before: [Int] = []
        var above = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var d = min(above[j + 1] + 1, row[j] + 1, above[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    d = min(d, before[j - 1] + 1)
                }
                row.append(d)
            }
            before = above
            above = row
        }
        return above[b.count]
    }
}
