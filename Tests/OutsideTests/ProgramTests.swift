import Foundation
import Limbeck
import Synchronization
import Testing

/// What a Swift program can do with this package: everything here imports `Limbeck` and nothing else of it.
@Suite(.serialized) struct ProgramTests {
    // MARK: Samples

    /// Images of three classes that differ in which band is bright.
    static func images(_ count: Int, seed: UInt64 = 1) -> (bytes: [UInt8], labels: [Int]) {
        var draw = Draw(seed: seed, .synthesis)
        var bytes: [UInt8] = []
        var labels: [Int] = []
        for i in 0..<count {
            labels.append(i % 3)
            for row in 0..<12 {
                for _ in 0..<12 {
                    let isBright = row / 4 == i % 3
                    bytes.append(UInt8((isBright ? 150 : 40) + draw.below(90)))
                }
            }
        }
        return (bytes, labels)
    }

    static func data(_ count: Int = 240, seed: UInt64 = 1) throws -> Dataset {
        let (bytes, labels) = images(count, seed: seed)
        return try Dataset(
            name: "bands", images: bytes, shape: [1, 12, 12], labels: labels,
            classNames: ["top", "middle", "bottom"])
    }

    static func folder() throws -> String {
        let path = NSTemporaryDirectory() + "outside-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
        return path
    }

    // MARK: The programs of the documentation

    /// As it stands there: compiled, and run with fewer epochs and a smaller network below.
    func asDocumented(bytes: [UInt8], labels: [Int], names: [String]) throws {
        let data = try Dataset(
            name: "mine", images: bytes, shape: [1, 28, 28], labels: labels, classNames: names)
        let experiment = Experiment(
            data: data, noise: .symmetric(rate: 0.4), model: .resNet20,
            method: SelfDistillation(stages: 2),
            optimizer: .sgd(learningRate: 0.1, weightDecay: 5e-4), epochs: 30, seed: 0)
        let result = try experiment.train(in: "runs/mine") { print($0) }
        print(result.selected.test.accuracy)
        try result.report.write(to: "runs/mine/report.html")
    }

    func loopAsDocumented(data: Dataset) {
        let network = CIFARResNet.resNet20(channels: 3, classes: 10, seed: 0)
        let optimizer = SGD(network.parameters, learningRate: 0.1, momentum: 0.9)
        for batch in data.batches(of: 128, epochs: 30, seed: 0) {
            let logits = Logits(network(batch.inputs, mode: .train(seed: batch.seed)))
            let loss = crossEntropy(logits, labels: batch.labels).mean()
            loss.backward()
            optimizer.step()
            optimizer.clearGradients()
        }
    }

    @Test func anExperiment() throws {
        let folder = try Self.folder()
        let lines = Lines()
        let experiment = Experiment(
            data: try Self.data(), noise: .symmetric(rate: 0.2), model: .mlp(hidden: [16]),
            method: SelfDistillation(stages: 2),
            optimizer: .sgd(learningRate: 0.05, weightDecay: 5e-4), epochs: 3, batch: 32, seed: 4,
            compute: ComputeOptions(threads: 1))
        let result = try experiment.train(in: folder + "/run") { lines.add("\($0)") }
        #expect(result.phases.map(\.name) == ["stage-0", "stage-1", "stage-2"])
        #expect(result.selected.test.accuracy > 0.6)
        #expect(lines.all.contains { $0.hasPrefix("stage-1 epoch 2: loss ") })
        try result.report.write(to: folder + "/page.html")
        let page = try String(contentsOfFile: folder + "/page.html", encoding: .utf8)
        #expect(page.contains("self-distillation") && page.contains("bands"))
        // Evaluate and predict.
        let fresh = try Self.data(90, seed: 9)
        let model = try result.model
        let predictions = try model.predictions(fresh)
        let hits = zip(predictions, fresh.labels).count { $0 == $1 }
        #expect(try model.evaluate(fresh).accuracy == Double(hits) / 90)
        // Again: everything is found, nothing trained.
        let again = Lines()
        let same = try experiment.train(in: folder + "/run") { again.add("\($0)") }
        #expect(again.all.allSatisfy { $0.contains(" found: ") } && again.all.count == 3)
        #expect(same.result.scores == result.result.scores)
    }

    @Test func aLoopOfOnesOwn() throws {
        let data = try Self.data()
        let network = CIFARResNet.resNet8(channels: 1, classes: 3, seed: 0)
        let optimizer = SGD(network.parameters, learningRate: 0.05, momentum: 0.9)
        let batches = data.batches(of: 32, epochs: 3, seed: 0)
        var steps = 0
        for batch in batches {
            let logits = Logits(network(batch.inputs, mode: .train(seed: batch.seed)))
            let loss = crossEntropy(logits, labels: batch.labels).mean()
            loss.backward()
            optimizer.step()
            optimizer.clearGradients()
            steps += 1
        }
        #expect(steps == 3 * batches.stepsPerEpoch && batches.stepsPerEpoch == 8)
        let found = try network.evaluate(on: data, normalisation: batches.normalisation)
        #expect(found.accuracy > 0.8)
        let path = try Self.folder() + "/mine.safetensors"
        try network.save(
            to: path, as: .resNet8, trainedOn: data, normalisation: batches.normalisation)
        let read = try SavedModel(path: path).evaluate(data)
        #expect(read.accuracy == found.accuracy)
    }

    // MARK: Networks and objectives of the program's own

    /// Two layers without a bias in the first.
    final class Own: Classifier {
        let first: Linear
        let head: Linear
        private let inputs: Int
        init(inputs: Int, classes: Int, generator: Generator) {
            self.inputs = inputs
            first = Linear(inputs, 10, bias: false, generator: generator)
            head = Linear(10, classes, generator: generator)
        }
        func features(_ x: Tensor, mode: Mode) -> Tensor { first(x.flattened(from: 1)).relu() }
        func fresh(generator: Generator) -> Own {
            Own(inputs: inputs, classes: head.outputs, generator: generator)
        }
    }

    /// Cross-entropy on logits that a penalty keeps small, which it strengthens from epoch to epoch.
    final class SmallLogits: Objective {
        private let strength: Double
        private var weight = 0.0
        /// Loss of each row when it was last seen.
        private let last: Tensor
        init(strength: Double, rows: Int) {
            self.strength = strength
            last = .zeros([rows])
        }
        func losses(
            of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
        ) -> Losses {
            let logits = outputs[learner].logits
            let values = crossEntropy(logits, labels: batch.labels)
            return Losses([
                .init("cross-entropy", values),
                .init("size", weight: weight, logits.tensor.squared().mean(1)),
            ])
        }
        func beginEpoch(_ epoch: EpochContext) throws {
            weight = strength * Double(epoch.epoch + 1) / Double(epoch.epochs)
        }
        var state: [NamedTensor] { [("last", last)] }
    }

    /// A method with options of its own, as a recipe of this program could name it.
    struct Small: Method {
        static let name = "small-logits"
        var strength = 0.1
        func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
            [plan.phase("student", 0, Target(strength: strength))]
        }
        struct Target: PhaseTarget {
            static let name = "small-logits"
            var strength: Double
            func objective(_ phase: PhaseContext) throws -> any Objective {
                SmallLogits(strength: strength, rows: phase.rows)
            }
        }
    }

    @Test func aNetworkAndAMethodOfTheProgram() throws {
        let folder = try Self.folder()
        let model = ModelSpec.custom("two-layers") { shape, classes, generator in
            Own(inputs: shape.reduce(1, *), classes: classes, generator: generator)
        }
        var experiment = Experiment(
            data: try Self.data(), model: model, method: Small(strength: 0.5),
            optimizer: .sgd(learningRate: 0.05), epochs: 3, batch: 32,
            compute: ComputeOptions(threads: 1))
        experiment.training.checkpointSteps = 2
        let whole = try experiment.train(in: folder + "/whole")
        #expect(whole.selected.test.accuracy > 0.6)
        #expect(try whole.model.card.model.name == "two-layers")
        // Stopped and continued: the same bytes.
        let steps = Lines()
        #expect(throws: Problem.self) {
            try experiment.train(
                in: folder + "/parts",
                shouldStop: {
                    steps.add("")
                    return steps.all.count == 7
                })
        }
        _ = try experiment.train(in: folder + "/parts")
        func weights(_ name: String) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)/model.safetensors"))
        }
        #expect(try weights("whole") == weights("parts"))
        // Another value is another phase: this folder is refused.
        var other = experiment
        other.method = Small(strength: 0.1)
        #expect(throws: Problem.self) { try other.train(in: folder + "/whole") }
    }

    @Test func anObjectiveInPlace() throws {
        let experiment = Experiment(
            name: "in place", data: try Self.data(), model: .mlp(hidden: [8]),
            method: OwnMethod("small logits", options: ["strength": 0.2]) {
                SmallLogits(strength: 0.2, rows: $0.rows)
            }, epochs: 2, batch: 32, compute: ComputeOptions(threads: 1))
        let folder = try Self.folder()
        let result = try experiment.train(in: folder + "/run")
        #expect(result.phases.count == 1 && result.last.test.samples > 0)
        let recipe = try String(contentsOfFile: folder + "/run/recipe.yaml", encoding: .utf8)
        #expect(recipe.contains("title: small logits") && recipe.contains("kind: memory"))
    }

    // MARK: Mistakes

    @Test func mistakesAreOneClearLine() throws {
        func said(_ change: (inout Experiment) -> Void) throws -> String {
            var experiment = Experiment(
                data: try Self.data(60), model: .mlp(hidden: [4]), epochs: 1,
                compute: ComputeOptions(threads: 1))
            change(&experiment)
            do {
                _ = try experiment.train(in: try Self.folder() + "/run")
                return "nothing thrown"
            } catch { return "\(error)" }
        }
        #expect(
            try said { $0.training.epochs = 0 }
                == "the experiment, training.epochs: value out of range: found 0, expected 1 to 100000"
        )
        #expect(
            try said { $0.noise = .symmetric(rate: 3) }
                .contains("rate out of range: found 3.0, expected 0...1"))
        #expect(
            try said { $0.method = SelfDistillation(stages: 99) }
                == "the experiment, method.stages: value out of range: found 99, expected 1 to 20")
        #expect(try said { $0.model = ModelSpec(name: "resnet21") }.contains("resnet20"))
        #expect(
            try said { $0.validation = 1.5 }.hasPrefix("the experiment, data.validation"))
        #expect(throws: Problem.self) {
            try Dataset(
                name: "x", images: [1, 2], shape: [1, 1, 1], labels: [0, 5], classNames: ["a"])
        }
    }

    /// What several threads write down.
    final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }
}
