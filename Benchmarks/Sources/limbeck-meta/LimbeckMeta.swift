import ArgumentParser
import Diagnostics
import Distillation
import Foundation
import Torch

@main
struct LimbeckMeta: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limbeck-meta",
        abstract: "Measures one meta step of adaptive loss mixing; speaks the protocol of "
            + "peers/alm_meta_step.py.")

    @Option var classes = 1000
    @Option var features = 512
    @Option(help: "Training samples of the group.") var samples = 384
    @Option var validation = 1000
    @Option(help: "Virtual steps per meta step.") var repeats = 5
    @Option var steps = 5
    @Option(help: "Steps before the clock starts.") var warmup = 1
    @Option(help: "0: the engine's own choice.") var threads = 0
    @Option(help: "Measure so many meta passes beside epochs instead of a step.") var passes = 0
    @Flag(help: "Measure the memory of one step instead of its time.") var memory = false
    @Flag(help: "Answer requests from standard input.") var serve = false

    func run() throws {
        Engine.keepMemory()
        if threads > 0 { Engine.threads = threads }
        if passes > 0 {
            try reply(PassShare.measure(passes: passes))
        } else if memory {
            // The engine's own first-use memory is not the step's.
            _ = try Problem(.init(classes: 8, features: 8, samples: 8, validation: 8)).step(2)
            let problem = try Problem(request)
            let before = Memory.resetPeak()
            let share = try problem.step(repeats)
            try reply(
                Answer(
                    seconds: nil, bytes: before.flatMap { start in Memory.peak.map { $0 - start } },
                    share: share, threads: Engine.threads, engine: Engine.version))
        } else if serve {
            var known: (request: Request, problem: Problem)?
            while let line = readLine(), !line.allSatisfy(\.isWhitespace) {
                let request = try JSON.read(Request.self, line.utf8)
                let problem: Problem
                if let known, known.request.sizes == request.sizes {
                    problem = known.problem
                } else {
                    problem = try Problem(request)
                }
                known = (request, problem)
                try reply(measure(problem, request))
            }
        } else {
            try reply(measure(Problem(request), request))
        }
    }

    private var request: Request {
        Request(
            classes: classes, features: features, samples: samples, validation: validation,
            repeats: repeats, steps: steps, warmup: warmup)
    }

    private func measure(_ problem: Problem, _ request: Request) throws -> Answer {
        let repeats = request.repeats ?? 5
        var share = 0.0
        for _ in 0..<(request.warmup ?? 1) { share = try problem.step(repeats) }
        let steps = request.steps ?? 5
        let duration = try ContinuousClock().measure {
            for _ in 0..<steps { share = try problem.step(repeats) }
        }
        return Answer(
            seconds: duration / .seconds(1) / Double(steps), bytes: nil, share: share,
            threads: Engine.threads, engine: Engine.version)
    }

    private func reply(_ answer: some Encodable) throws {
        try FileHandle.standardOutput.write(contentsOf: JSON.line(answer))
    }
}

/// One line of standard input; peers/alm_meta_step.py describes the protocol.
struct Request: Codable {
    var classes: Int
    var features: Int
    var samples: Int
    var validation: Int
    var repeats: Int?
    var steps: Int?
    var warmup: Int?

    var sizes: [Int] { [classes, features, samples, validation] }
}

/// One line of standard output.
struct Answer: Codable {
    /// Per meta step.
    var seconds: Double?
    /// How far the resident memory rose above what the inputs need; absent where the system does
    /// not tell.
    var bytes: Int?
    /// Mean λ after the step: both programs must agree.
    var share: Double
    var threads: Int
    var engine: String
}

/// Inputs of a meta step, by the formula of peers/alm_meta_step.py.
final class Problem {
    private let features: Tensor
    private let weight: Tensor
    private let bias: Tensor
    private let teacher: Tensor
    private let validationFeatures: Tensor
    private let batch: TrainingBatch
    private let validationLabels: Tensor

    init(_ request: Request) throws {
        let (c, d) = (request.classes, request.features)
        let (b, v) = (request.samples, request.validation)
        features = numbers(1, [b, d])
        validationFeatures = numbers(2, [v, d])
        weight = (numbers(3, [c, d]) - 0.5) * 0.2
        bias = numbers(4, [c]) - 0.5
        teacher = (numbers(5, [b, c]) - 0.5) * 10
        let labels = Tensor((0..<b).map { $0 * 7 % c }, [b])
        validationLabels = Tensor((0..<v).map { $0 * 11 % c }, [v])
        batch = TrainingBatch(inputs: features, labels: labels, rows: labels, isPlain: true)
    }

    /// From features, weights and teacher logits to new λ.
    /// - Returns: the mean of λ.
    func step(_ repeats: Int) throws -> Double {
        try Engine.checked {
            let logits = withoutGradient { Logits(linear(features, weight, bias)) }
            let losses: [MixableLoss] = [
                .labels(), .teacher(temperature: 4) { _ in Logits(self.teacher) },
            ]
            let virtualStep = LastLayerVirtualStep(
                MixingGroup(
                    features: features, gradients: losses.map { $0.gradient(logits, batch) }),
                MixingValidation(
                    features: validationFeatures, weight: weight, bias: bias,
                    labels: validationLabels),
                repeats: repeats)
            let start = Tensor.full([features.shape[0], 1], 0.5)
            let result = metaStep(
                start, virtualStep, rate: 0.1, options: MetaStepOptions(repeats: repeats))
            return result.parameters.mean().item
        }
    }
}

/// Pseudo-random numbers on [0, 1) with 24 bits, the same in both programs.
private func numbers(_ stream: Int, _ shape: [Int]) -> Tensor {
    let values = (0..<shape.reduce(1, *)).map { i in
        var h = UInt32(truncatingIfNeeded: i &+ stream &* 1_000_003) &* 2_654_435_761
        h ^= h >> 16
        h = h &* 2_246_822_519
        h ^= h >> 13
        return Float(h >> 8) / 0x1p24
    }
    return Tensor(values, shape)
}

/// Resident memory of this process, from the kernel (Linux).
enum Memory {
    /// Sets the recorded peak back to the present, which it returns, in bytes.
    static func resetPeak() -> Int? {
        try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
        return field("VmRSS")
    }

    static var peak: Int? { field("VmHWM") }

    private static func field(_ name: String) -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") }),
            let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first
        else { return nil }
        return Int(kibibytes).map { $0 * 1024 }
    }
}
