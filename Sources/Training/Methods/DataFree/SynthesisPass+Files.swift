import Diagnostics
import Distillation
import Files
import Foundation

// The pool's folder: one file per batch, written once and never changed.
//
//     pool/batch-000000.bin    images [B, C, H, W] as bytes, then B labels of two bytes each, low first
//     pool/held-out-0.bin      the same, never trained on
//     pool/grid-00001.bin      a few of an epoch's last batch, for the report
//     pool/synthesis.jsonl     a line per batch
//     pool/pool.json           written last: what is in the pool

extension SynthesisPass {
    /// - Returns: SHA-256 of the file.
    @discardableResult
    func write(_ bytes: [UInt8], _ labels: [Int], to name: String) throws(Problem) -> String {
        var content = bytes
        content.reserveCapacity(bytes.count + 2 * labels.count)
        for label in labels {
            content.append(UInt8(label & 0xff))
            content.append(UInt8(label >> 8 & 0xff))
        }
        try files.createDirectory(folder)
        try files.replace("\(folder)/\(name).bin", with: content)
        let hash = SHA256.hex(of: content)
        if name.hasPrefix("held-out") { record.heldOut.append(hash) }
        return hash
    }

    func read(
        _ name: String, _ count: Int
    ) throws(Problem) -> (bytes: [UInt8], labels: [Int], hash: String) {
        let path = "\(folder)/\(name).bin"
        guard FileManager.default.fileExists(atPath: path) else {
            throw .recordedFileMissing(path, .remake)
        }
        let content = try readFile(path)
        let (bytes, labels) = try SyntheticPool.split(
            content, images: count, imageSize: pool.imageSize, path: path)
        return (bytes, labels, SHA256.hex(of: content))
    }

    /// The first images of an epoch's last batch, at a few epochs over the run.
    func writeGrid(_ batch: SynthesisedBatch, _ place: SynthesisContext.Place) throws(Problem) {
        guard hasGrid(epoch: place.epoch) else { return }
        let count = min(batch.labels.count, 2 * context.classes)
        let name = String(format: "grid-%05d", place.epoch + 1)
        let hash = try write(
            Array(batch.bytes.prefix(count * pool.imageSize)), Array(batch.labels.prefix(count)),
            to: name)
        record.grids.append(.init(epoch: place.epoch + 1, images: count, sha256: hash))
    }

    /// The end of the warm-up, and about five times until the end.
    private func hasGrid(epoch: Int) -> Bool {
        let after = epoch - warmUp + 1
        if after <= 0 { return after == 0 }
        let every = max(1, (epochs + 4) / 5)
        return after % every == 0 || after == epochs
    }

    /// Writes down what the pool holds, and removes what it does not.
    func finish() throws(Problem) {
        try removeGone()
        let content = PoolContent(
            shape: pool.shape, classNames: classNames,
            batches: zip(record.parts, pool.parts).map {
                .init(name: SynthesisPass.name(of: $0.id), images: $1.labels.count)
            },
            heldOut: record.heldOut.indices.map {
                .init(name: "held-out-\($0)", images: options.synthesis.batch)
            },
            grids: record.grids.map { .init(name: $0.name, images: $0.images, epoch: $0.epoch) },
            warmUp: warmUp)
        try files.replace("\(folder)/pool.json", with: JSON.file(content))
    }
}

/// The content of `pool.json`.
struct PoolContent: Codable, Equatable {
    struct Entry: Codable, Equatable {
        var name: String
        var images: Int
        /// Of a grid, warm-up counted in, from 1.
        var epoch: Int?
    }

    var shape: [Int]
    var classNames: [String]
    var batches: [Entry]
    var heldOut: [Entry]
    var grids: [Entry]
    /// Epochs of warm-up.
    var warmUp: Int
}

/// A file in memory's address space: read when it is used.
struct MappedBytes: StoredBytes {
    private let data: Data

    init(_ path: String) throws(Problem) {
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        } catch {
            throw .cannotMap(path)
        }
    }

    func read(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        data.withUnsafeBytes { body($0.assumingMemoryBound(to: UInt8.self)) }
    }
}
