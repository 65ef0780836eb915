import Diagnostics
import Files

extension ObjectiveMaker {
    /// The data as a phase of this target sees it.
    static func prepared(
        _ data: PreparedData, for spec: PhaseSpec
    ) throws(Problem) -> PreparedData {
        try SynthesisPass.withTeachersConstants(data, spec.target)
    }

    /// What the phase does beside its steps.
    func work(
        for made: Made, learners: [Learner], folder: String, files: any FileSystem
    ) throws -> any PhaseWork {
        if let mixing = made.mixing, let teachers = made.mixed {
            return try MixingWork(
                mixing, teachers, spec: spec, data: data, folder: folder, files: files)
        }
        if case .dataFree(let options, _, _) = spec.target, let probed = made.probed {
            return SynthesisWork(
                try SynthesisPass(
                    options, spec: spec, teacher: probed, learners: learners, data: data,
                    folder: folder, files: files))
        }
        return NoWork()
    }
}
