import Diagnostics
import Distillation
import Files
import Foundation
import Torch

/// The phase that another one has to gain on, where that is finished.
struct FormerPhase {
    /// In this chain: another one may share the phase under a name of its own.
    var name: String
    var source: WeightSource
    var result: PhaseResult
    var folder: String
}

// A phase that does not gain on the one before it passes that one's result on.

extension PhaseTrainer {
    /// Whether the phase before it was declined, so that this one has nothing to train for.
    var standsAside: Bool { former?.result.isDeclined ?? false }

    /// The result of a phase that stands aside: the former one's.
    func passOn() throws -> PhaseResult {
        var result = PhaseResult(
            key: spec.key, name: spec.name, epochs: 0, steps: 0, student: former!.result.student)
        result.metric = evaluator.metric
        let over = former!.result.verdict!.over
        try environment.files.replace(lines.path, with: [])
        try SectionFiles.write(
            [], of: spec.name, rows: context.rows, to: folder, using: environment.files)
        try pass(former!, into: &result, .init(over: over, isAccepted: false))
        return result
    }

    /// Accepts or declines the result of a phase that had to gain on a former one.
    func judge(_ result: inout PhaseResult) throws {
        guard let former, case .phase(_, let which) = former.source else { return }
        let set = try context.splitEvaluator().validation
        func right(_ network: (Tensor) -> Tensor) throws -> [Bool] {
            let logits = set.logits(network, precision: spec.compute.precision)
            return zip(try set.finite(logits).argmax().ints(), set.labels).map { $0 == $1 }
        }
        let learner = learners[0]
        let own =
            switch which {
            case .last: learner.network
            case .emaLast: learner.emaNetwork!
            case .selected: learner.best(ema: false)
            case .emaSelected: learner.best(ema: true)
            }
        let teacher = try context.frozen(former.source)
        let gain = StageGain(
            before: try right { teacher($0) }, after: try right { own($0, mode: .eval) })
        var verdict = PhaseVerdict(
            over: former.name, isAccepted: gain.isAccepted, gain: gain.mean,
            standardError: gain.standardError, samples: set.labels.count)
        guard !gain.isAccepted else {
            result.verdict = verdict
            return
        }
        (verdict.declined, verdict.declinedEMA) = (result.student, result.ema)
        try pass(former, into: &result, verdict)
    }

    /// Puts the former phase's weights and scores in the place of this one's.
    private func pass(
        _ former: FormerPhase, into result: inout PhaseResult, _ verdict: PhaseVerdict
    ) throws(Problem) {
        for which in TeacherWeights.allCases where spec.training.ema > 0 || !which.isEMA {
            let name = "\(which.rawValue).safetensors"
            try environment.files.replace(
                "\(folder)/\(name)", with: try readFile("\(former.folder)/\(name)"))
        }
        for name in SampleFiles.all {
            let path = "\(former.folder)/\(name)"
            guard FileManager.default.fileExists(atPath: path) else { continue }
            try environment.files.replace("\(folder)/\(name)", with: try readFile(path))
        }
        (result.student, result.ema) = (former.result.student, former.result.ema)
        result.verdict = verdict
    }
}
