import Diagnostics
import Files

/// Word vectors of GloVe (Pennington, Socher, Manning 2014), from a folder with `vectors.npy`
/// (float32, one row per word) and `words.txt` (the words, one per line, in the order of the rows).
///
/// The light choice beside `SentenceEncoder`: no network, no prompt. A class is the average of the
/// words of its name. Names are put in lower case and cut at white space and `_ , / ( )`; what the list does
/// not have as it is (`t-shirt` it has) is cut at hyphens as well.
enum GloVe {
    /// What the folder holds.
    static let files = ["vectors.npy", "words.txt"]

    static func vectors(
        folder: String, classes: [String]
    ) throws(Problem) -> (dimension: Int, values: [Float]) {
        let (vectors, words) = (folder + "/vectors.npy", folder + "/words.txt")
        let matrix = try NumPyMatrix(path: vectors)
        var wanted: [[UInt8]: Int?] = [:]
        for name in classes {
            for word in pieces(name) {
                for form in [word] + hyphenated(word) { wanted[Array(form.utf8)] = .some(nil) }
            }
        }
        var count = 0
        try WordList.read(words) { word in
            if let known = wanted[word], known == nil { wanted[word] = .some(count) }
            count += 1
        }
        guard count == matrix.rows else {
            throw .wordCount(words, found: count, expected: matrix.rows)
        }
        func row(_ word: String) -> Int? { wanted[Array(word.utf8)].flatMap { $0 } }
        var values: [Float] = []
        for name in classes {
            var sum = [Float](repeating: 0, count: matrix.columns)
            var found: [Int] = []
            for word in pieces(name) {
                if let row = row(word) {
                    found.append(row)
                    continue
                }
                for part in hyphenated(word) {
                    guard let row = row(part) else { throw .unknownWord(words, name, part) }
                    found.append(row)
                }
            }
            guard !found.isEmpty else { throw .unknownWord(words, name, name) }
            for row in found {
                for (i, value) in try matrix.row(row).enumerated() { sum[i] += value }
            }
            values += sum.map { $0 / Float(found.count) }
        }
        return (matrix.columns, values)
    }

    static func pieces(_ name: String) -> [String] {
        name.lowercased()
            .split { $0.isWhitespace || "_,/()".contains($0) }
            .map(String.init)
    }

    private static func hyphenated(_ word: String) -> [String] {
        let parts = word.split(separator: "-").map(String.init)
        return parts.isEmpty ? [word] : parts
    }
}

extension LabelEmbeddings {
    /// The average of the GloVe vectors of each class's words.
    ///
    /// - Throws: a `Problem` that names the first word without a vector.
    public static func gloVe(folder: String, classes: [String]) throws(Problem) -> LabelEmbeddings {
        let (dimension, values) = try GloVe.vectors(folder: folder, classes: classes)
        return try LabelEmbeddings(
            source: "GloVe in \(folder)", classes: classes, dimension: dimension, values: values)
    }
}
