import Foundation
import Synchronization
import Torch
import Training

/// One line of `--pass`.
struct PassAnswer: Codable {
    /// Of each meta pass but the first, and of the steps of the epoch after it.
    var pass: [Double]
    var steps: [Double]
    /// Median over epochs of one pass to the steps of `every` epochs.
    var share: Double
    var every: Int
    var threads: Int
    var engine: String
}

/// What a meta pass takes of a training: ResNet-8 learns from ResNet-20, batch 128, groups of three
/// batches, five repeats, with augmentation, so that the teacher is asked at every step.
///
/// It is the trainer itself that runs, on the embedded images, with a meta pass before every epoch,
/// so that a drift of the machine hits passes and epochs alike; a pass every ten epochs is the same
/// pass. A pass counts from the end of one epoch to its last group, with the features of the
/// meta-validation split; an epoch counts its steps, not the evaluation after them.
enum PassShare {
    private static let recipe = """
        data: {kind: embedded, meta-validation: 0.1}
        noise: {kind: symmetric, rate: 0.4}
        model: {name: resnet8}
        method:
          name: adaptive-mixing
          teachers: [{model: {name: resnet20}, untrained: true}]
          warm-up: 0
          meta-interval: 1
          batches-per-group: 3
          meta-repeats: 5
        optimizer: {learning-rate: 0.05, momentum: 0.9, nesterov: true}
        training: {batch: 128, ema: 0, augmentation: {padding: 2, flip: true}}
        """

    static func measure(passes: Int, every: Int = 10) throws -> PassAnswer {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("limbeck-pass-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let times = Times()
        var environment = TrainingEnvironment()
        environment.observe = { times.see($0) }
        // The first epoch has no pass, the first pass warms up.
        let recipe = try RecipeFile(text: recipe, file: "pass")
            .setting("training.epochs=\(passes + 2)").decoded(Recipe.self)
        let compute = ComputeOptions(
            threads: Engine.threads, device: .cpu, precision: .float32)
        _ = try Run(recipe, folder: folder, compute: compute, environment: environment).train()
        let (pass, steps) = times.all
        let shares = zip(pass, steps).dropFirst().map { $0 / (Double(every) * $1) }.sorted()
        return PassAnswer(
            pass: Array(pass.dropFirst()), steps: Array(steps.dropFirst()),
            share: shares[shares.count / 2], every: every, threads: Engine.threads,
            engine: Engine.version)
    }
}

/// When passes and epochs began and ended.
private final class Times: Sendable {
    private struct State {
        var pass: [Double] = []
        var steps: [Double] = []
        var epochEnd = 0.0
        var passEnd = 0.0
        var latest = 0.0
        var hasPass = false
    }
    private let state = Mutex(State())

    var all: (pass: [Double], steps: [Double]) { state.withLock { ($0.pass, $0.steps) } }

    func see(_ event: PhaseEvent) {
        let now = Double(DispatchTime.now().uptimeNanoseconds) / 1e9
        state.withLock { state in
            switch event {
            case .note(_, nil):
                state.passEnd = now
                state.hasPass = true
            case .step: state.latest = now
            case .epoch:
                if state.hasPass {
                    state.pass.append(state.passEnd - state.epochEnd)
                    state.steps.append(state.latest - state.passEnd)
                }
                state.hasPass = false
                state.epochEnd = now
            default: break
            }
        }
    }
}
