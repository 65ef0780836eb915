/// Nearest-word suggestions for unknown keys, method names and options.
public enum Suggestion {
    /// The candidate nearest to `word` by edit distance (insertions, deletions, substitutions,
    /// swaps of neighbours), if it is near enough to be what was meant: at most a third of the
    /// word's length, at least one. Ties go to the earlier candidate.
    public static func nearest(to word: String, among candidates: [String]) -> String? {
        // Words come from hostile files too: nobody mistypes more than 64 characters.
        guard word.utf8.count <= 256, word.count <= 64 else { return nil }
        let limit = max(1, word.count / 3)
        var best: (distance: Int, word: String)?
        for candidate in candidates {
            let d = distance(word.lowercased(), candidate.lowercased())
            if d <= limit, d < best?.distance ?? .max { best = (d, candidate) }
        }
        return best?.word
    }

    /// `did you mean "x"?`, or the list of what there is when nothing is near.
    public static func hint(for word: String, among candidates: [String]) -> String {
        if let near = nearest(to: word, among: candidates) { return "did you mean \"\(near)\"?" }
        return "one of: " + candidates.joined(separator: ", ")
    }

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
