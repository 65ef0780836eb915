import Diagnostics

// Sentences on commands that there are not, or not here; tests pin them.

extension Problem {
    static let continuesWhenRunAgain = "run the same command again to continue"

    static func unknownCommand(_ path: String, _ word: String, _ known: [String]) -> Problem {
        // What other programs call the same.
        let same = [
            "fit": "train", "run": "train", "test": "evaluate", "infer": "predict",
            "inference": "predict", "classify": "predict", "convert": "import", "onnx": "export",
            "save": "export",
            "search": "compare", "check": "doctor",
        ]
        let hint =
            same[word.lowercased()].flatMap { known.contains($0) ? "did you mean \"\($0)\"?" : nil }
            ?? Suggestion.hint(for: word, among: known)
        return Problem(.usage, "unknown command \"\(oneLine(path, limit: 60))\"", hint: hint)
    }
}
