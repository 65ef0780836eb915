import Diagnostics

extension Problem {
    /// A weight that would make every prediction meaningless.
    static func weightNotFinite(_ file: String, _ tensor: String, element: Int) -> Problem {
        Problem(
            .data, "a weight that is not finite",
            at: .file(file, "tensor \"\(oneLine(tensor, limit: 80))\"", "element \(element)"),
            expected: "finite float32 numbers",
            hint: "the network diverged in training, or the file is damaged")
    }
}
