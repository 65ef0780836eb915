import Diagnostics

// Sentences about places that results go to; tests pin them.

extension Problem {
    static func outputIsInput(_ option: String, _ path: String, _ input: String) -> Problem {
        Problem(
            .usage, "the output would replace an input", at: .init(detail: [option]),
            found: path == input ? path : "\(path), which is \(input)", hint: "give another name")
    }
    static func outputTwice(_ option: String, _ path: String, _ other: String) -> Problem {
        Problem(
            .usage, "two outputs would be one file", at: .init(detail: [option]),
            found: path == other ? path : "\(path), which is \(other)", hint: "give another name")
    }
}
