import Diagnostics
import Foundation

/// Where samples come from: one type for each kind of data that a recipe names in `data.kind`.
///
/// Its keys stand in a recipe's `data`, beside those that ``DataOptions`` has for every kind. What
/// it reads are the labels as they came; splits and label noise come later. A new kind is a file
/// like those in this folder and a line in ``DataOptions/kinds``.
public protocol DataSource: Codable, Hashable, Sendable {
    /// What a recipe calls it.
    static var kind: String { get }
    /// The recipe's keys that it decodes and encodes, apart from `kind`.
    static var keys: [String] { get }

    /// Refuses values that make no sense whatever the files hold.
    func check() throws(Problem)

    /// The files that ``read()`` opens and those beside them in a folder that it looks through:
    /// outputs must be none of them.
    var files: [String] { get }
    /// Whether its samples are real. Blank ones only have the shape and the classes of samples that
    /// a method makes itself.
    var hasSamples: Bool { get }
    /// Whether every label is right, because the sample was made for it.
    var labelsAreTrue: Bool { get }
    /// Characters of a sample, where samples are texts; nil elsewhere.
    var textLength: Int? { get }

    /// Reads or makes the samples to learn from, and those for the test where the data has its own.
    func read() throws(Problem) -> (learning: Dataset, test: Dataset?)
    /// The same with what there is to say of it; what ``read()`` gives if a kind has no more to say.
    func readSamples() throws(Problem) -> SourceSamples
}

/// What a source gives, and what there is to say of it.
public struct SourceSamples: Sendable {
    public var learning: Dataset
    /// For the test, where the data has its own.
    public var test: Dataset?
    /// What a reader of the results should know.
    public var warnings: [String] = []
    /// Files that gave no sample.
    public var unread: [UnreadFile] = []
    /// Of samples that are files: the SHA-256 of each by its identifier.
    public var contents: [String: String] = [:]

    public init(learning: Dataset, test: Dataset? = nil) {
        (self.learning, self.test) = (learning, test)
    }
}

/// A file of the user's that gave no sample, and why.
public struct UnreadFile: Equatable, Sendable {
    /// Within the data's folder.
    public var path: String
    public var problem: Problem
}

extension DataSource {
    public func check() throws(Problem) {}
    public var files: [String] { [] }
    public var hasSamples: Bool { true }
    public var labelsAreTrue: Bool { false }
    public var textLength: Int? { nil }

    public func readSamples() throws(Problem) -> SourceSamples {
        let (learning, test) = try read()
        return SourceSamples(learning: learning, test: test)
    }

    /// Every file of a folder; none where there is no folder.
    static func files(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.map { "\(folder)/\($0)" }
    }

    /// Refuses extents that no image has.
    static func check(imageShape shape: [Int]?) throws(Problem) {
        guard let shape else { return }
        guard shape.count == 3, shape.allSatisfy({ (1...4096).contains($0) }) else {
            throw .dataRange(
                "image-shape", found: "\(shape)", expected: "[channels, height, width]")
        }
    }
}

extension KeyedDecodingContainer {
    /// The path at a key that has no default.
    func path(at key: Key) throws -> String {
        guard let path = try decodeIfPresent(String.self, forKey: key) else {
            throw Problem.missingFiles(key.stringValue)
        }
        return path
    }
}

/// A source of any kind, compared and hashed by its kind and its values.
@propertyWrapper
public struct AnyDataSource: Hashable, Sendable {
    public var wrappedValue: any DataSource

    public init(wrappedValue: any DataSource) { self.wrappedValue = wrappedValue }

    public static func == (a: AnyDataSource, b: AnyDataSource) -> Bool {
        AnyHashable(a.wrappedValue) == AnyHashable(b.wrappedValue)
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(AnyHashable(wrappedValue)) }
}
