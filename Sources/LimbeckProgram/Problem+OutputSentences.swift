import Diagnostics

// Sentences about places that results go to; tests pin them.

extension Problem {
    static func outputIsInput(_ option: String, _ path: String, _ input: String) -> Problem {
        Problem(
            .usage, "the output would replace an input", at: .init(detail: [option]),
            found: path == input ? path : "\(path), which is \(input)", hint: "give another name")
    }
    static func outputTwice(_ option: String, _ path: String) -> Problem {
        Problem(
            .usage, "two outputs of the same name", at: .init(detail: [option]), found: path,
            hint: "give another name")
    }
}
