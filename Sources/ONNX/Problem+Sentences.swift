import Diagnostics

// The sentences of the `ONNX` target. Tests pin them.

extension Problem {
    static func notONNX(_ file: String, _ reason: String, at offset: Int?) -> Problem {
        Problem(
            .data, "not an ONNX file of Limbeck",
            at: Place(file: file, detail: offset.map { ["byte \($0)"] } ?? []),
            found: oneLine(reason, limit: 120))
    }

    static func tooLarge(_ bytes: Int) -> Problem {
        Problem(
            .data, "the network does not fit into one ONNX file", found: "\(bytes) bytes",
            expected: "less than \(ONNXModel.limit) bytes")
    }

    /// A fault of whoever made the graph.
    static func badGraph(_ reason: String) -> Problem {
        Problem(.internal, "the graph of the network is incomplete", found: oneLine(reason))
    }
}
