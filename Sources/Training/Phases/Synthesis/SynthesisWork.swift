import Datasets
import Diagnostics
import Distillation
import Files
import Foundation
import SafeTensors
import Torch

/// What a phase does that makes its own samples: before each epoch it searches for images, and it measures
/// on images that are held out.
final class SynthesisWork: PhaseWork {
    let pass: SynthesisPass
    /// Whether the trainer measures on held-out images already.
    private var measuresHeldOut = false

    init(_ pass: SynthesisPass) { self.pass = pass }

    var samples: (any SampleSource)? { pass }
    var pieces: Int { pass.record.made }
    var state: [(name: String, tensor: Tensor)] {
        pass.maker.state.map { ("synthesis/\($0.name)", $0.tensor) }
    }

    /// The images of the epoch ahead, before its first step.
    func prepareEpoch(_ trainer: PhaseTrainer) throws {
        if trainer.stepInEpoch == 0 { try searchForImages(trainer) }
        let isLearnt = pass.frame.normalisation.isLearnt
        if measuresHeldOut, !isLearnt { return }
        measuresHeldOut = true
        if isLearnt {
            let (mean, deviation) = pass.frame.normalisation.values
            trainer.use(try Normalisation(mean: mean, deviation: deviation))
        }
        let data = trainer.data
        trainer.validation = try pass.heldOutSet(data.normalisation)
        trainer.test =
            data.isPlaceholder
            ? trainer.validation
            : try EvaluationSet(
                data.test, members: data.testMembers, normalisation: data.normalisation,
                device: trainer.device)
    }

    func searchForImages(_ trainer: PhaseTrainer) throws {
        do {
            let isDone = try pass.prepare(
                epoch: trainer.epoch,
                .init(
                    learners: trainer.learners, stop: trainer.environment.shouldStop,
                    made: { [self] metrics in
                        trainer.environment.observe(.synthesised(trainer.spec, metrics))
                        try trainer.saveIfDue(pieces)
                    }))
            guard isDone else {
                throw Problem.interrupted(checkpoint: try trainer.saveCheckpoint())
            }
        } catch let error as SynthesisFailure {
            throw Problem.synthesisNotFinite(
                term: error.term, phase: trainer.spec.name, epoch: pass.record.epoch,
                batch: pass.record.batch, step: error.step, checkpoint: trainer.lastCheckpoint)
        } catch let error as EngineError {
            throw trainer.problem(error)
        }
    }

    func describe(_ metrics: inout EpochMetrics, _ trainer: PhaseTrainer) {
        metrics.synthesis = pass.summary()
    }

    /// Closes the pool.
    func finish(_ result: inout PhaseResult, _ trainer: PhaseTrainer) throws {
        try pass.finish()
        var notes: [String] = []
        if !pass.frame.teacherHasBatchNorm {
            notes.append(
                "The teacher has no batch norm: nothing could be matched to its statistics, the term "
                    + "that counts most.")
        }
        for group in pass.embeddings?.identicalClasses ?? [] {
            notes.append(
                "The generator cannot tell these classes apart, as their embeddings are equal: "
                    + group.joined(separator: ", ") + ".")
        }
        let constants = trainer.data.normalisation
        result.synthesis = SynthesisResult(
            method: pass.options.synthesis.method.rawValue,
            embeddings: pass.embeddings?.source, images: pass.pool.count,
            heldOutImages: pass.heldOut.count * pass.options.synthesis.batch,
            hasTestData: !trainer.data.isPlaceholder,
            matchesStatistics: pass.frame.matching != nil,
            normalisation: ["mean": constants.mean, "deviation": constants.deviation],
            notes: notes)
    }

    func save(in record: inout CheckpointRecord) { record.synthesis = pass.record }

    func didSave() throws(Problem) { try pass.removeGone() }

    func resume(
        _ checkpoint: (record: CheckpointRecord, saved: [String: Tensor], path: String)?
    ) throws(Problem) {
        guard let (record, saved, path) = checkpoint, let its = record.synthesis else {
            return try pass.tidy()
        }
        try fill(state, from: saved, path)
        try pass.resume(its, path: path)
    }

    func dropRandomState() { pass.dropRandomState() }
}

extension SynthesisPass {
    /// The data as the phase sees it: normalised as its teacher was trained.
    ///
    /// Those of the recipe count most, then those of the teacher's file, then those of its training
    /// data. Learnt ones begin at 0.5 and 0.2.
    static func withTeachersConstants(
        _ data: PreparedData, _ target: PhaseSpec.Target
    ) throws(Problem) -> PreparedData {
        guard case .dataFree(let options, let source, _) = target else { return data }
        var data = data
        let channels = data.sampleShape[0]
        var file: String?
        if case .file(let path, _, _) = source { file = path }
        let card = try file.flatMap { (path) throws(Problem) in try ModelCard(ifIn: path) }
        if let card, let file {
            try card.checkFits(data, file: file)
        }
        switch options.normalisation {
        case .given(let mean, let deviation):
            guard mean.count == channels else { throw .normalisationCount(mean.count, channels) }
            data.normalisation = try Normalisation(mean: mean, deviation: deviation)
        case .learnt:
            data.normalisation = try Normalisation(
                mean: [Float](repeating: 0.5, count: channels),
                deviation: [Float](repeating: 0.2, count: channels))
        case nil:
            if let card {
                data.normalisation = card.normalisation
            } else if file != nil {
                throw .normalisationUnknown(file)
            }
        }
        return data
    }
}

extension ModelCard {
    /// What a weights file says of itself; nil if it says nothing.
    init?(ifIn path: String) throws(Problem) {
        let file = try SafeTensorsFile(path: path)
        guard file.metadata[ModelCard.metadataKey] != nil else { return nil }
        try self.init(metadata: file.metadata, file: path)
    }
}

extension Recipe {
    /// Shape and classes of images that nobody has, from the teacher's file where the recipe leaves
    /// them out.
    func withTeachersFacts() throws(Problem) -> Recipe {
        guard data.kind == .none, case .dataFree(let options) = method,
            let file = options.teacher.file,
            data.imageShape == nil || data.classNames == nil, let card = try ModelCard(ifIn: file)
        else { return self }
        var recipe = self
        recipe.data.imageShape = data.imageShape ?? card.sampleShape
        recipe.data.classNames = data.classNames ?? card.classNames
        return recipe
    }
}
