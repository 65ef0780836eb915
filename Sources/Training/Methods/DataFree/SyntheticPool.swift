import Datasets
import Diagnostics
import Files
import Foundation

/// The synthetic images that a finished phase left behind.
public struct SyntheticPool: Sendable {
    /// Images of one moment: a few of each class.
    public struct Grid: Sendable {
        /// Epoch of the students, from 1; 0: the end of the warm-up.
        public var epoch: Int
        public var labels: [Int]
        /// Row-major [labels.count, channels, height, width].
        public var bytes: [UInt8]
    }

    /// [channels, height, width]
    public let shape: [Int]
    public let classNames: [String]
    private let content: PoolContent
    private let folder: String

    /// - Parameter folder: of the phase.
    /// - Throws: if it has no pool, or a damaged one.
    public init(phase folder: String) throws(Problem) {
        self.folder = "\(folder)/pool"
        let path = "\(self.folder)/pool.json"
        guard
            let content = try? JSON.read(
                PoolContent.self, try readFile(path, limit: 256 << 20))
        else { throw .noPool(folder) }
        guard content.shape.count == 3, content.shape.allSatisfy({ (1...65_536).contains($0) }),
            content.shape.reduce(1.0, { $0 * Double($1) }) < 0x1p30, !content.classNames.isEmpty
        else { throw .checkpointDamaged(path, "not the content of a pool") }
        let entries = content.batches + content.heldOut + content.grids
        guard entries.allSatisfy({ isBelow($0.name) }) else {
            throw .checkpointDamaged(path, "it names a file outside its folder")
        }
        self.content = content
        shape = content.shape
        classNames = content.classNames
    }

    /// The pool below a run folder, whichever phase has it.
    ///
    /// - Throws: if there is none, or if its phase is damaged.
    public init(run folder: String) throws(Problem) {
        let names =
            ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/phases")) ?? [])
            .sorted()
        for name in names {
            let phase = "\(folder)/phases/\(name)"
            guard FileManager.default.fileExists(atPath: "\(phase)/pool/pool.json") else {
                continue
            }
            // Images without a student are no finished phase: nothing has their hashes.
            if name != "images" {
                try PhaseFolder.verify(phase, remedy: .remakeRun(folder))
            }
            try self.init(phase: phase)
            return
        }
        throw .noPool(folder)
    }

    public var count: Int { content.batches.reduce(0) { $0 + $1.images } }

    /// All images with their target labels.
    public func dataset(heldOut: Bool = false) throws(Problem) -> Dataset {
        var bytes: [UInt8] = []
        var labels: [Int] = []
        for entry in heldOut ? content.heldOut : content.batches {
            let part = try read(entry)
            bytes += part.bytes
            labels += part.labels
        }
        return try Dataset(
            name: "synthetic images",
            features: .images(bytes: bytes, channels: shape[0], height: shape[1], width: shape[2]),
            labels: labels, classNames: classNames)
    }

    /// A few images of each class over time.
    public func grids() throws(Problem) -> [Grid] {
        var grids: [Grid] = []
        for entry in content.grids {
            let part = try read(entry)
            grids.append(
                Grid(
                    epoch: (entry.epoch ?? 0) - content.warmUp, labels: part.labels,
                    bytes: part.bytes))
        }
        return grids
    }

    private func read(
        _ entry: PoolContent.Entry
    ) throws(Problem) -> (bytes: [UInt8], labels: [Int]) {
        let path = "\(folder)/\(entry.name).bin"
        return try SyntheticPool.split(
            try readFile(path), images: entry.images, imageSize: shape.reduce(1, *), path: path)
    }

    /// Images and labels of a batch's file.
    static func split(
        _ content: [UInt8], images: Int, imageSize: Int, path: String
    ) throws(Problem) -> (bytes: [UInt8], labels: [Int]) {
        let (size, overflow) = images.multipliedReportingOverflow(by: imageSize + 2)
        guard images > 0, !overflow, content.count == size else {
            throw .checkpointDamaged(path, "\(content.count) bytes for \(images) images")
        }
        let end = images * imageSize
        let labels = (0..<images).map {
            Int(content[end + 2 * $0]) | Int(content[end + 2 * $0 + 1]) << 8
        }
        return (Array(content[..<end]), labels)
    }
}
