import Datasets
import Diagnostics
import Distillation
import Files
import Foundation
import SafeTensors
import Torch

// Phases that make their own samples.

extension PhaseTrainer {
    /// The images of the epoch ahead, before its first step.
    func synthesise() throws {
        guard let synthesis else { return }
        if stepInEpoch == 0 { try searchForImages() }
        if measuresSynthesis, !synthesis.frame.normalisation.isLearnt { return }
        measuresSynthesis = true
        if synthesis.frame.normalisation.isLearnt {
            let (mean, deviation) = synthesis.frame.normalisation.values
            use(try Normalisation(mean: mean, deviation: deviation))
        }
        validation = try synthesis.heldOutSet(data.normalisation)
        test =
            data.isPlaceholder
            ? validation
            : try EvaluationSet(
                data.test, members: data.testMembers, normalisation: data.normalisation,
                device: device)
    }

    func searchForImages() throws {
        guard let synthesis else { return }
        do {
            let isDone = try synthesis.prepare(
                epoch: epoch,
                .init(
                    learners: learners, stop: environment.shouldStop,
                    made: { [self] metrics in
                        environment.observe(.synthesised(spec, metrics))
                        try saveIfDue(synthesis.record.made)
                    }))
            guard isDone else { throw Problem.interrupted(checkpoint: try saveCheckpoint()) }
        } catch let error as SynthesisFailure {
            throw Problem.synthesisNotFinite(
                term: error.term, phase: spec.name, epoch: synthesis.record.epoch,
                batch: synthesis.record.batch, step: error.step, checkpoint: lastCheckpoint)
        } catch let error as EngineError {
            throw problem(error)
        }
    }

    /// Closes the pool.
    func synthesisResult() throws -> SynthesisResult? {
        guard let synthesis else { return nil }
        try synthesis.finish()
        var notes: [String] = []
        if !synthesis.frame.teacherHasBatchNorm {
            notes.append(
                "The teacher has no batch norm: nothing could be matched to its statistics, the term "
                    + "that counts most.")
        }
        for group in synthesis.embeddings?.identicalClasses ?? [] {
            notes.append(
                "The generator cannot tell these classes apart, as their embeddings are equal: "
                    + group.joined(separator: ", ") + ".")
        }
        return SynthesisResult(
            method: synthesis.options.synthesis.method.rawValue,
            embeddings: synthesis.embeddings?.source, images: synthesis.pool.count,
            heldOutImages: synthesis.heldOut.count * synthesis.options.synthesis.batch,
            hasTestData: !data.isPlaceholder,
            matchesStatistics: synthesis.frame.matching != nil,
            normalisation: [
                "mean": data.normalisation.mean, "deviation": data.normalisation.deviation,
            ], notes: notes)
    }
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
