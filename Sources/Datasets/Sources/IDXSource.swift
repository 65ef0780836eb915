import Diagnostics
import Foundation

/// IDX or IDX.gz files, as of MNIST and Fashion-MNIST: a folder with the four files under their
/// usual names, or the files one by one.
public struct IDXSource: DataSource {
    public static let kind = "idx"
    public static let keys = CodingKeys.allCases.map(\.rawValue)

    public var folder: String?
    /// With `labels`, instead of `folder`.
    public var images: String?
    public var labels: String?
    /// With `testLabels`; where there are none, a test set is held out.
    public var testImages: String?
    public var testLabels: String?
    /// Names of the classes, in the order of their numbers; the numbers if not given.
    public var classNames: [String]?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case folder, images, labels
        case testImages = "test-images"
        case testLabels = "test-labels"
        case classNames = "class-names"
    }

    public init(folder: String) { self.folder = folder }

    public init(
        images: String, labels: String, testImages: String? = nil, testLabels: String? = nil
    ) {
        (self.images, self.labels) = (images, labels)
        (self.testImages, self.testLabels) = (testImages, testLabels)
    }

    public func check() throws(Problem) {
        guard folder == nil || (images ?? labels ?? testImages ?? testLabels) == nil else {
            throw .filesTwice()
        }
        guard folder != nil || (images != nil && labels != nil) else {
            throw .missingFiles("folder", or: "data.images and data.labels")
        }
        guard (testImages == nil) == (testLabels == nil) else {
            throw .missingFiles("test-images", or: "both or neither of test-images and test-labels")
        }
    }

    public var files: [String] {
        [images, labels, testImages, testLabels].compactMap(\.self)
            + (folder.map { Self.files(in: $0) } ?? [])
    }

    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
        try check()
        let pairs = (try pair(images, labels, "train"), try pair(testImages, testLabels, "t10k"))
        guard let (images, labels) = pairs.0 else { throw .missingFiles("folder") }
        let learning = try IDX.read(images: images, labels: labels, classNames: classNames)
        guard let (images, labels) = pairs.1 else { return (learning, nil) }
        return (
            learning,
            try IDX.read(images: images, labels: labels, classNames: learning.classNames)
        )
    }

    private func pair(
        _ images: String?, _ labels: String?, _ part: String
    ) throws(Problem) -> (images: String, labels: String)? {
        if let folder { return try standard(folder, part) }
        guard let images, let labels else { return nil }
        return (images, labels)
    }

    /// The pair of files under the names that MNIST and its followers use.
    private func standard(
        _ folder: String, _ part: String
    ) throws(Problem) -> (images: String, labels: String) {
        let (images, labels) = IDX.standardFiles(in: folder, part: part) {
            FileManager.default.fileExists(atPath: $0)
        }
        guard let images else { throw .noStandardFile(folder, "\(part)-images-idx3-ubyte") }
        guard let labels else { throw .noStandardFile(folder, "\(part)-labels-idx1-ubyte") }
        return (images, labels)
    }
}
