import Diagnostics

/// The 4,000 + 1,000 Fashion-MNIST images inside the program.
public struct EmbeddedSource: DataSource {
    public static let kind = "embedded"
    public static let keys: [String] = []

    public init() {}

    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
        (try .embedded(.train), try .embedded(.test))
    }
}
