import Datasets
import Diagnostics
import Distillation
import Files
import Foundation
import LabelText
import Models
import Neural
import Randomness
import Torch

/// The images that a phase without data learns from: synthesised before each epoch, kept in a pool,
/// and handed out in batches.
///
/// A batch of images is the smallest unit of this work: one that is interrupted changes nothing, and the
/// run resumes before it.
final class SynthesisPass: BatchSource {
    let options: DataFree
    let context: SynthesisContext
    let maker: any Synthesiser
    let embeddings: LabelEmbeddings?
    let folder: String
    let files: any FileSystem
    let classNames: [String]
    private let batchSize: Int
    /// Of the students' order and augmentation; another one in the negative control of resuming.
    private var seed: UInt64
    /// Of the students.
    let epochs: Int
    private let networks: [any Classifier]
    private(set) var pool: ImagePool
    /// Bytes of images that are never trained on, for measuring.
    private(set) var heldOut: [[UInt8]] = []
    var record = SynthesisRecord()
    private var lines: LineLog
    /// Batches that have left the pool; their files are removed once the newest checkpoint no longer needs
    /// them.
    private var gone: [Int] = []
    private var recent: (epoch: Int, pass: Int, count: Int, order: [Int])?

    /// - Parameters:
    ///   - teacher: frozen without folding.
    init(_ options: DataFree, teacher: Frozen, _ phase: PhaseContext) throws {
        let (spec, data) = (phase.spec, phase.data)
        self.options = options
        folder = "\(phase.folder)/pool"
        lines = LineLog("\(phase.folder)/pool/synthesis.jsonl")
        record.metrics = lines.digest
        files = phase.files
        classNames = data.learning.classNames
        batchSize = spec.training.batch
        seed = phase.seed
        epochs = spec.training.epochs
        networks = phase.learners.map(\.network)
        context = try SynthesisContext(
            options.synthesis, teacher: teacher,
            students: networks.map { network in { network($0, mode: $1) } },
            shape: data.sampleShape,
            window: RandomWindow(
                padding: spec.training.augmentation.padding, flip: spec.training.augmentation.flip),
            normalisation: InputNormalisation(
                mean: data.normalisation.mean, std: data.normalisation.std,
                isLearnt: options.normalisation == .learnt),
            precision: spec.compute.precision, seed: phase.seed, device: phase.device)
        embeddings =
            options.synthesis.method == .nayer
            ? try options.embeddings.load(classes: classNames) : nil
        maker = makeSynthesiser(
            context,
            embeddings: embeddings.map { Tensor($0.values, [$0.classes.count, $0.dimension]) })
        pool = ImagePool(
            shape: data.sampleShape, cap: options.synthesis.maxImages,
            memory: options.synthesis.memory << 20)
    }

    var stepsPerEpoch: Int { options.stepsPerEpoch }
    var warmUp: Int { options.synthesis.warmUp }

    func dropRandomState() { seed ^= 0xdead_beef }

    // MARK: Making images

    /// Synthesises all images that are still missing for the epochs before `end`, warm-up counted in.
    ///
    /// - Returns: false if it was stopped; everything is then as after the last whole batch.
    /// - Throws: `SynthesisFailure`, an engine error, or what the file system says.
    func synthesise(before end: Int, _ epoch: EpochContext) throws -> Bool {
        let stop = epoch.shouldStop
        while record.epoch < end {
            if record.epoch == warmUp, heldOut.count < options.synthesis.heldOutBatches {
                guard try addHeldOut(stop) else { return false }
                continue
            }
            let count = options.synthesis.batchCount(epoch: record.epoch)
            if record.batch < count {
                if record.batch == 0 {
                    maker.begin(epoch: record.epoch)
                    record.facts = []
                }
                let place = SynthesisContext.Place(epoch: record.epoch, batch: record.batch)
                guard let batch = try make(place, stop) else { return false }
                try add(batch)
                record.facts.append(batch.facts)
                let metrics = SynthesisMetrics(
                    epoch: record.epoch + 1, batch: record.batch + 1, of: count,
                    images: pool.count, facts: batch.facts)
                try log(metrics)
                record.batch += 1
                if record.batch == count { try writeGrid(batch, place) }
                try epoch.didPiece(metrics.batch == metrics.of ? metrics.note : nil)
            }
            if record.batch >= count {
                record.batch = 0
                record.epoch += 1
            }
        }
        return true
    }

    /// One batch; nil if stopped, with all state as before it.
    private func make(
        _ place: SynthesisContext.Place, _ stop: () -> Bool
    ) throws -> SynthesisedBatch? {
        let changing =
            maker.state
            + (options.synthesis.studentMode == .train
                ? networks.flatMap(\.buffers) : [])
        let before = changing.map { $0.tensor.cloned() }
        let batch = try Engine.checked {
            try frozen(networks[...]) { try maker.batch(place, stop: stop) }
        }
        if batch == nil { restore(changing, before) }
        return batch
    }

    private func frozen<Result>(
        _ networks: ArraySlice<any Classifier>, _ body: () throws -> Result
    ) rethrows -> Result {
        guard let first = networks.first else { return try body() }
        return try first.withFrozenParameters { try frozen(networks.dropFirst(), body) }
    }

    private func restore(
        _ state: [(name: String, tensor: Tensor)], _ before: [Tensor]
    ) {
        withoutGradient { for (old, (_, tensor)) in zip(before, state) { tensor.copy(from: old) } }
    }

    /// A batch for measuring, after which the synthesiser goes on as if it had not been made.
    private func addHeldOut(_ stop: () -> Bool) throws -> Bool {
        let state = maker.state
        let before = state.map { $0.tensor.cloned() }
        let place = SynthesisContext.Place(epoch: warmUp - 1, heldOut: heldOut.count)
        guard let batch = try make(place, stop) else { return false }
        restore(state, before)
        try write(batch.bytes, batch.labels, to: "held-out-\(heldOut.count)")
        heldOut.append(batch.bytes)
        return true
    }

    private func add(_ batch: SynthesisedBatch) throws {
        let id = record.parts.last.map { $0.id + 1 } ?? 0
        let name = SynthesisPass.name(of: id)
        let hash = try write(batch.bytes, batch.labels, to: name)
        try add(id: id, bytes: batch.bytes, labels: batch.labels, hash: hash)
    }

    func add(id: Int, bytes: [UInt8], labels: [Int], hash: String) throws {
        // Only what has no room in memory is mapped from its file.
        let isFull = pool.bytesInMemory + bytes.count > pool.memory
        let stored = isFull ? try MappedBytes("\(folder)/\(SynthesisPass.name(of: id)).bin") : nil
        let dropped = pool.add(id: id, bytes: bytes, labels: labels, stored: stored)
        record.parts.append(.init(id: id, sha256: hash))
        record.parts.removeAll { dropped.contains($0.id) }
        gone += dropped
    }

    static func name(of id: Int) -> String { String(format: "batch-%06d", id) }

    /// Removes the files of batches that have left the pool.
    func removeGone() throws(Problem) {
        for id in gone { try files.remove("\(folder)/\(SynthesisPass.name(of: id)).bin") }
        gone = []
    }

    // MARK: Handing out

    /// The pool in a new order, again and again; the last batch of an order may be smaller. Cropped,
    /// flipped and normalised.
    func batch(epoch: Int, step: Int) throws -> (batch: TrainingBatch, labels: [Int]) {
        let indices = indices(epoch: epoch, step: step)
        let labels = indices.map { pool.labels[$0] }
        return withoutGradient {
            let count = indices.count
            let bytes = Tensor(bytes: pool.bytes(of: indices), [count] + pool.shape, dtype: .uint8)
            var draw = Draw(seed: seed, .augmentation, epoch: epoch, step: step)
            let images = bytes.to(context.device).to(.float32).channelsLast() / 255
            let inputs = context.normalisation(context.window(images, &draw))
            let batch = TrainingBatch(
                inputs: inputs, labels: Tensor(labels, [count]), rows: Tensor(indices, [count]),
                isPlain: false, epoch: epoch, step: step)
            return (batch, labels)
        }
    }

    private func indices(epoch: Int, step: Int) -> [Int] {
        let perPass = (pool.count + batchSize - 1) / batchSize
        let (pass, place) = step.quotientAndRemainder(dividingBy: perPass)
        if recent?.epoch != epoch || recent?.pass != pass || recent?.count != pool.count {
            var order = Array(0..<pool.count)
            var draw = Draw(seed: seed, .order, epoch: epoch, step: pass)
            order.permute(&draw)
            recent = (epoch, pass, pool.count, order)
        }
        let start = place * batchSize
        return Array(recent!.order[start..<min(start + batchSize, pool.count)])
    }

    // MARK: Measuring

    /// The held-out images with the labels that the teacher gives them: accuracy on it is agreement
    /// with the teacher.
    func heldOutSet(_ normalisation: Normalisation) throws -> EvaluationSet {
        let bytes = heldOut.flatMap(\.self)
        let count = bytes.count / pool.imageSize
        let shape = pool.shape
        func dataset(_ labels: [Int]) throws(Problem) -> Dataset {
            try Dataset(
                name: "held-out synthetic images",
                features: .images(
                    bytes: bytes, channels: shape[0], height: shape[1], width: shape[2]),
                labels: labels, classNames: classNames)
        }
        let plain = try EvaluationSet(
            try dataset([Int](repeating: 0, count: count)), members: Array(0..<count),
            normalisation: normalisation, device: context.device)
        let predictions = try Engine.checked {
            try plain.finite(
                plain.logits({ self.context.teacher($0) }, precision: context.precision)
            ).argmax().ints()
        }
        return try EvaluationSet(
            try dataset(predictions), members: Array(0..<count), normalisation: normalisation,
            device: context.device)
    }

    /// Of the epoch's batches so far.
    func metrics() -> [String: Double] {
        SynthesisMetric.metrics(
            record.facts, images: pool.count, acrossBatches: diversityAcrossBatches())
    }

    /// Within-class std over the newest batches together: how different batches are.
    private func diversityAcrossBatches() -> Double? {
        let parts = pool.parts.suffix(5)
        guard parts.count > 1 else { return nil }
        let labels = parts.flatMap(\.labels)
        let first = pool.count - labels.count
        let bytes = pool.bytes(of: Array(first..<pool.count))
        return withoutGradient {
            let images = Tensor(bytes: bytes, [labels.count] + pool.shape, dtype: .uint8)
            return withinClassStd(images.to(.float32) / 255, labels: labels)
        }
    }

    // MARK: Resuming

    /// Takes over what a checkpoint knows and reads its images back.
    func resume(_ saved: SynthesisRecord) throws(Problem) {
        let perBatch = options.synthesis.batch
        var parts = saved.parts
        record = saved
        record.parts = []
        pool = ImagePool(shape: pool.shape, cap: pool.cap, memory: pool.memory)
        heldOut = []
        for i in 0..<saved.heldOut.count {
            let (bytes, _, hash) = try read("held-out-\(i)", perBatch)
            guard hash == saved.heldOut[i] else {
                throw .checkpointDamaged(
                    "\(folder)/held-out-\(i).bin", "its content does not match its record")
            }
            heldOut.append(bytes)
        }
        record.heldOut = saved.heldOut
        for part in parts {
            let name = SynthesisPass.name(of: part.id)
            let (bytes, labels, hash) = try read(name, perBatch)
            guard hash == part.sha256 else {
                throw .checkpointDamaged(
                    "\(folder)/\(name).bin", "its content does not match its record")
            }
            do { try add(id: part.id, bytes: bytes, labels: labels, hash: hash) } catch {
                throw error as? Problem ?? .checkpointDamaged("\(folder)/\(name).bin", "\(error)")
            }
        }
        parts = record.parts
        gone = []
        try verify(
            Dictionary(
                saved.grids.map { ("\($0.name).bin", $0.sha256) }, uniquingKeysWith: { $1 }),
            in: folder, remedy: .remake)
        try tidy()
        try lines.resume(bytes: saved.metricsBytes, digest: saved.metrics, using: files)
    }

    /// Removes what was written after the checkpoint, all of it where there is none.
    func tidy() throws(Problem) {
        let known = Set(
            record.parts.map { SynthesisPass.name(of: $0.id) }
                + record.heldOut.indices.map { "held-out-\($0)" } + record.grids.map(\.name))
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where !known.contains(name.replacing(".bin", with: "")) {
            if name != "synthesis.jsonl" || record.metricsBytes == 0 {
                try files.remove("\(folder)/\(name)")
            }
        }
    }

    private func log(_ metrics: SynthesisMetrics) throws(Problem) {
        try lines.append(JSON.line(metrics), using: files)
        (record.metricsBytes, record.metrics) = (lines.bytes, lines.digest)
    }
}
