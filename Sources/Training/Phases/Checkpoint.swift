import Diagnostics
import Distillation
import Files
import Foundation
import Models
import SafeTensors
import Torch

/// Everything besides tensors that a phase needs to continue exactly where it was. There is no
/// generator state in it: random numbers are derived from seed, epoch and step.
struct CheckpointRecord: Codable, Equatable {
    /// Of the phase.
    var key: String
    /// Steps taken since the phase began.
    var step: Int
    var epoch: Int
    /// Steps taken in this epoch.
    var stepInEpoch: Int
    /// Of each network that learns.
    var learners: [LearnerRecord]
    /// Of the objective, where it keeps more than tensors.
    var objective: JSON?
    /// Pieces of work done besides steps.
    var pieces = 0
    /// How many training samples the steps of this epoch take, where the objective chose some.
    var members: Int?
    /// How long the metrics file was: what is behind it was written after this checkpoint.
    var metricsBytes: Int
    /// SHA-256 of the metrics file up to there.
    var metrics: String
    /// SHA-256 of the weights that were kept after an epoch, by file name; nil where none were.
    var kept: [String: String]?
    /// Spent before this checkpoint, for the time that reports show.
    var seconds: Double
    /// The time at the end of each epoch, likewise.
    var epochSeconds: [Double]?
    /// SHA-256 of the tensors' file.
    var tensors: String
}

extension CheckpointRecord {
    /// Pieces of work done: rises from one checkpoint to the next.
    var position: Int { step + pieces }
}

/// Where a learner stands, besides its tensors.
struct LearnerRecord: Codable, Equatable {
    /// Sums over this epoch's samples so far.
    var sums = EpochSums()
    var selected: Selection?
    var emaSelected: Selection?
}

/// The best epoch so far, on the validation split.
struct Selection: Codable, Equatable {
    var epoch: Int
    var validation: Evaluation
}

/// Sums of an epoch, so that its means do not depend on where a run was interrupted.
struct EpochSums: Codable, Equatable {
    var samples = 0
    /// Of each loss term, unweighted, over samples.
    var terms: [String: Double] = [:]
    var total = 0.0
    /// Of what is logged beside the loss, over samples.
    var metrics: [String: Double] = [:]
    /// Euclidean norm over all parameters of the first term's gradient, at the epoch's first step;
    /// only where several networks learn.
    var gradientNorm: Double?
    /// Samples whose class was predicted.
    var predicted = 0
    /// Predictions that meet the given label.
    var hits = 0
    /// Predictions that meet the clean label, where it is known.
    var cleanHits = 0

    /// - Parameter means: over the batch, of terms, then metrics.
    mutating func add(
        _ losses: Losses, _ means: [Double], samples count: Int, gradientNorm norm: Double?
    ) {
        let n = Double(count)
        for (term, mean) in zip(losses.terms, means) {
            terms[term.name, default: 0] += mean * n
            total += term.weight * mean * n
        }
        for (metric, mean) in zip(losses.metrics, means.dropFirst(losses.terms.count)) {
            metrics[metric.name, default: 0] += mean * n
        }
        if let norm { gradientNorm = norm }
        samples += count
    }

    mutating func add(predictions: [Int], given: [Int], clean: [Int]?) {
        predicted += predictions.count
        for (i, prediction) in predictions.enumerated() {
            if prediction == given[i] { hits += 1 }
            if prediction == clean?[i] { cleanHits += 1 }
        }
    }
}

/// The checkpoints of one phase: `checkpoints/step-N/` with the tensors and a record.
///
/// The commit point is the rename of the record, after everything else is on the disk; older
/// checkpoints are removed only after that. Killed, or with a failing disk, at any instant, the
/// folder loads as the previous checkpoint or as the new one.
struct CheckpointStore {
    let folder: String
    let files: any FileSystem

    static let recordName = "checkpoint.json"
    private static let tensorsName = "tensors.safetensors"

    /// - Parameter record: its `tensors` hash is filled in here.
    /// - Returns: the checkpoint's folder.
    @discardableResult
    func save(
        _ record: CheckpointRecord, _ tensors: [(name: String, tensor: Tensor)]
    ) throws(Problem) -> String {
        let name = CheckpointStore.name(record.position)
        let target = "\(folder)/\(name)"
        let bytes = try WeightsFile.encoded(tensors)
        var record = record
        record.tensors = SHA256.hex(of: bytes)
        // A leftover of an interrupted save has no record and is written over.
        try files.createDirectory(target)
        try files.write(bytes, to: "\(target)/\(CheckpointStore.tensorsName)")
        try files.sync("\(target)/\(CheckpointStore.tensorsName)")
        try files.replace(
            "\(target)/\(CheckpointStore.recordName)", with: SealedRecord.encoded(record))
        // The new folder's name, and that of the folder of all checkpoints when this is its first.
        try files.sync(folder)
        try files.sync(files.parent(of: folder))
        for other in entries() where other != name { try files.remove("\(folder)/\(other)") }
        return target
    }

    /// The newest complete checkpoint, or nil if there is none.
    ///
    /// - Throws: if the newest one that claims to be complete is damaged: silently falling back would
    ///   hide a failing disk. What the record says is still to be checked against the phase
    ///   (`CheckpointRecord.check`).
    func load() throws(Problem) -> (
        record: CheckpointRecord, tensors: [String: Tensor], path: String
    )? {
        for name in entries().reversed() {
            let path = "\(folder)/\(name)/\(CheckpointStore.recordName)"
            guard FileManager.default.fileExists(atPath: path) else { continue }
            let record: CheckpointRecord = try SealedRecord.read(
                path, limit: 64 << 20, remedy: .remake)
            let file = "\(folder)/\(name)/\(CheckpointStore.tensorsName)"
            guard FileManager.default.fileExists(atPath: file) else {
                throw .recordedFileMissing(file, .remake)
            }
            let bytes = try readFile(file)
            guard SHA256.hex(of: bytes) == record.tensors else {
                throw .checkpointDamaged(file, "its content does not match its record")
            }
            let tensors = try WeightsFile.tensors(of: SafeTensorsFile(bytes: bytes, name: file))
            return (record, tensors, "\(folder)/\(name)")
        }
        return nil
    }

    func removeAll() throws(Problem) { try files.remove(folder) }

    /// Names of checkpoints, complete or not, oldest first.
    private func entries() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasPrefix("step-") }.sorted()
    }

    static func name(_ step: Int) -> String { String(format: "step-%012d", step) }
}
