import Diagnostics

/// The sentences of the `Neural` target. Tests pin them.
extension Problem {
    /// Weights that do not fit the network: the first difference, and how many there are.
    static func stateDiffers(_ match: StateMatch, source: String?) -> Problem {
        let counts = [
            (match.mismatched.count, "of another shape"), (match.missing.count, "missing"),
            (match.unexpected.count, "unexpected"),
        ]
        let summary = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
            .joined(separator: ", ")
        let place = { (name: String) in Place(file: source, detail: ["tensor \(name)"]) }
        let what = "the weights do not fit the network (\(summary))"
        if let first = match.mismatched.first {
            return Problem(
                .data, what, at: place(first.name), found: first.found, expected: first.expected)
        }
        if let first = match.missing.first {
            let prefixed = match.unexpected.contains("module." + first)
            return Problem(
                .data, what, at: place(first), found: "no such tensor",
                expected: "a tensor of this name",
                hint: prefixed
                    ? "the names in the file start with \"module.\": save the network inside "
                        + "DataParallel instead"
                    : match.unexpected.isEmpty
                        ? nil : Suggestion.hint(for: first, nearAmong: match.unexpected))
        }
        return Problem(
            .data, what, at: place(match.unexpected[0]),
            found: "a tensor that the network does not have",
            expected: "only tensors of the network")
    }
}

extension Suggestion {
    /// Only a near name, no list: a file can hold hundreds of names.
    fileprivate static func hint(for word: String, nearAmong candidates: [String]) -> String? {
        nearest(to: word, among: candidates).map { "the file has \"\($0)\"" }
    }
}
