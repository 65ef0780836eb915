import Datasets
import Diagnostics
import Distillation
import Foundation
import Models
import Neural
import TestSupport
import Testing

@testable import Training

/// Good recipes mean what they say.
@Suite(.takesTurns) struct RecipeTests {
    private func recipe(_ text: String, _ changes: [String] = []) throws -> Recipe {
        var file = try RecipeFile(text: text, file: "r.yaml")
        for change in changes { file = try file.setting(change) }
        return try file.decoded(Recipe.self)
    }

    private static let least = """
        data: {kind: embedded}
        model: {name: lenet5}
        method: {name: cross-entropy}
        """

    @Test func defaults() throws {
        let recipe = try recipe(Self.least)
        #expect(recipe.name == "cross-entropy" && recipe.seed == 0)
        #expect(recipe.data == DataOptions(EmbeddedSource()))
        #expect(recipe.noise == LabelNoise(.clean))
        #expect(recipe.method == AnyMethod(CrossEntropy()))
        #expect(recipe.optimizer == OptimizerOptions() && recipe.schedule == Schedule())
        #expect(recipe.training == TrainingOptions())
    }

    @Test func everyKeyIsRead() throws {
        let recipe = try recipe(
            """
            name: all of it
            seed: 18446744073709551615
            data:
              kind: csv
              path: a.csv
              test-path: b.csv
              label: class
              clean: -2
              group: patient
              drop: [id, 3]
              delimiter: semicolon
              header: false
              skip-at-lines: true
              image-shape: [1, 8, 8]
              class-names: [a, "no", "3"]
              limit: 100
              validation: 0.25
              test: 0.1
              clean-validation: true
            noise: {kind: asymmetric, rate: 0.25, map: {9: 1, truck: 3, 2: bird}, seed: 7}
            model: {name: mlp, hidden: [8, 4], dropout: 0.5}
            method: {name: self-distillation, stages: 3, labels: soft, beta: [2, 0.5], start: previous, weights: ema-last}
            optimizer: {kind: adamw, learning-rate: 0.002, weight-decay: 0.1, beta1: 0.8, beta2: 0.9, eps: 1e-6, clip-norm: 2, decay-norm-and-bias: false}
            schedule: {kind: multi-step, milestones: [1, 2.5], factor: 0.2, warm-up: 0.5}
            training: {epochs: 9, batch: 7, augmentation: {padding: 1, flip: true}, ema: 0.5, use-ema: true, patience: 4, selection: nll, checkpoint-steps: 5, checkpoint-seconds: 1.5}
            """)
        #expect(recipe.name == "all of it" && recipe.seed == .max)
        let data = recipe.data
        let source = try #require(data.source as? TableSource)
        let table = source.table
        #expect(data.kind == "csv" && table.path == "a.csv" && table.testPath == "b.csv")
        #expect(
            table.label == .name("class") && table.clean == .index(-2)
                && table.group == .name("patient"))
        #expect(source.drop == [.name("id"), .index(3)] && table.delimiter == .semicolon)
        #expect(!table.header && source.skipAt && source.imageShape == [1, 8, 8])
        #expect(table.classNames == ["a", "no", "3"] && data.limit == 100)
        #expect(data.validation == 0.25 && data.test == 0.1 && data.cleanValidation)
        #expect(
            recipe.noise
                == LabelNoise(
                    .asymmetric, rate: 0.25, map: .explicit(["9": "1", "truck": "3", "2": "bird"]),
                    seed: 7))
        #expect(recipe.model == ModelSpec(name: "mlp", dropout: 0.5, hidden: [8, 4]))
        #expect(
            recipe.method
                == AnyMethod(
                    SelfDistillation(
                        .init(stages: 3, labels: .soft, beta: [2, 0.5], start: .previous),
                        weights: .emaLast)))
        #expect(
            recipe.optimizer
                == OptimizerOptions(
                    kind: .adamw, learningRate: 0.002, weightDecay: 0.1, beta1: 0.8, beta2: 0.9,
                    eps: 1e-6,
                    clipNorm: 2, decayNormAndBias: false))
        #expect(
            recipe.schedule == Schedule(.multiStep, milestones: [1, 2.5], factor: 0.2, warmUp: 0.5))
        var training = TrainingOptions()
        (training.epochs, training.batch, training.ema, training.useEMA) = (9, 7, 0.5, true)
        (training.patience, training.selection) = (4, .nll)
        (training.checkpointSteps, training.checkpointSeconds) = (5, 1.5)
        training.augmentation = Augmentation(padding: 1, flip: true)
        #expect(recipe.training == training)
    }

    /// A loss is a word or a mapping; parameters that are not given have their defaults.
    @Test func lossesOfMethods() throws {
        func method(_ text: String) throws -> AnyMethod {
            try recipe(Self.least, ["method=\(text)"]).method
        }
        #expect(
            try method("{name: cross-entropy, loss: gce}")
                == AnyMethod(CrossEntropy(loss: .generalised(q: 0.7))))
        #expect(
            try method("{name: cross-entropy, loss: {name: sce, beta: 2}}")
                == AnyMethod(CrossEntropy(loss: .symmetric(alpha: 0.1, beta: 2, logZero: -4))))
        let plain = AnyMethod(CrossEntropy(smoothing: 0.1))
        #expect(try method("{name: cross-entropy, smoothing: 0.1}") == plain)
        #expect(try method("{name: cross-entropy, loss: cross-entropy, smoothing: 0.1}") == plain)
        #expect(
            try method("{name: cross-entropy, loss: {name: cross-entropy, smoothing: 0.1}}")
                == plain)
        func distillation(_ text: String) throws -> KnowledgeDistillationOptions? {
            (try method("{name: distillation\(text)}").base as? KnowledgeDistillation)?.options
        }
        #expect(try distillation("") == .init())
        #expect(try distillation(", divergence: kl") == .init())
        #expect(
            try distillation(", divergence: {name: renyi, order: .inf}")?.divergence
                == .divergence(.renyi(order: .infinity)))
        #expect(
            try distillation(", divergence: renyi")?.divergence == .divergence(.renyi(order: 2)))
        #expect(
            try distillation(", divergence: jensen-shannon")?.divergence
                == .divergence(.jensenShannon(weight: 0.5)))
        #expect(
            try distillation(", divergence: dkd, standardise-logits: true")
                == .init(
                    divergence: .decoupled(.init(target: 1, nonTarget: 8)), standardiseLogits: true)
        )
        #expect(
            try method("{name: self-distillation, divergence: {name: renyi, order: 0.5}}")
                == AnyMethod(SelfDistillation(.init(divergence: .renyi(order: 0.5)))))
    }

    /// What a run folder keeps is the same recipe, down to the last bit of every number.
    @Test(arguments: [
        "name: 'null'", "name: '0.5'", "name: 'yes'", "name: 'a: b # c'", "name: Übung „x“",
        "name: '~'",
        "name: ' padded '", "name: \"tab\\tand\\nline\"", "seed: 18446744073709551615",
        "optimizer: {learning-rate: 0.1, weight-decay: 0.30000000000000004}",
        "optimizer: {eps: 1e-12, clip-norm: 123456.789}",
        "schedule: {kind: multi-step, milestones: [0.3333333333333333, 2]}",
        "noise: {kind: asymmetric, rate: 0.1, map: {9: 1, 2: 0}}",
        "noise: {kind: asymmetric, rate: 0.1, map: mnist}",
        "noise: {kind: matrix, matrix: [[0.9, 0.1], [0.25, 0.75]]}",
        "noise: {kind: file, path: 'a b/ü.csv'}",
        "method: {name: self-distillation, labels: hard, stages: 2, beta: .inf}",
        "method: {name: self-distillation, beta: [0.1, 3]}",
        "method: {name: cross-entropy, smoothing: 0.1}",
        "method: {name: cross-entropy, loss: gce}",
        "method: {name: cross-entropy, loss: {name: sce, alpha: 0.3, beta: 0.1, log-zero: -9.5}}",
        "method: {name: distillation, divergence: {name: renyi, order: .inf}, loss: {name: gce, q: 0.3}}",
        "method: {name: distillation, divergence: {name: dkd, non-target: 0.30000000000000004}}",
        "method: {name: distillation, divergence: reverse-kl, standardise-logits: true, temperature: 2}",
        "method: {name: distillation, loss: {name: cross-entropy, smoothing: 0.1}}",
        "method: {name: self-distillation, divergence: {name: jensen-shannon, weight: 0.1}}",
        "method: {name: distillation, teacher: {file: t.safetensors, model: {name: resnet20, width: 0.5}}}",
        "training: {patience: 3, checkpoint-steps: 4, ema: 0, selection: nll}",
        "data: {kind: spiral, samples: 100, turn: 1.5}",
        "data: {kind: colour-shapes, samples: 720, seed: 3}",
        "data: {kind: gaussian-classes, seed: 18446744073709551615, separation: 0.3}",
        "data: {kind: csv, path: x.tsv, label: 3, clean: c, drop: [a, -1], class-names: ['1', 'true']}",
    ])
    func resolvedRecipesRoundTrip(_ line: String) throws {
        let key = String(line.prefix { $0 != ":" })
        let kept = Self.least.split(separator: "\n").filter { !$0.hasPrefix(key + ":") }
        let first = try recipe((kept + [Substring(line)]).joined(separator: "\n"))
        let second = try recipe(first.yaml)
        #expect(first == second, "\(first.yaml)")
        let keys = try [first, second].map { recipe in
            try recipe.phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }.map(\.key)
        }
        #expect(keys[0] == keys[1])
        #expect(second.yaml == first.yaml)
    }

    /// Made data names all of its numbers in the resolved recipe.
    @Test func madeData() throws {
        let lines = Self.least.replacing("kind: embedded", with: "kind: spiral, classes: 3")
        let made = try recipe(lines)
        let data = made.data
        var spiral = try #require(data.source as? SpiralSource)
        #expect(spiral.classes == 3 && spiral.samples == 6000 && spiral.seed == 0)
        #expect(spiral.radius == 4 && spiral.turn == 4.74 && spiral.angleStd == 0.2)
        #expect(made.yaml.contains("turn: 4.74") && !made.yaml.contains("separation"))
        let prepared = try PreparedData(data, noise: LabelNoise(.clean), seed: 1)
        #expect(prepared.learning.count == 6000 && prepared.sampleShape == [2])
        #expect(prepared.classCount == 3 && prepared.testMembers.count == 1200)
        var other = data
        spiral.seed = 1
        other.source = spiral
        let another = try PreparedData(other, noise: LabelNoise(.clean), seed: 1)
        #expect(another.identity != prepared.identity)
    }

    @Test func overrides() throws {
        let changed = try recipe(
            Self.least,
            [
                "optimizer.learning-rate=0.25", "model={name: mlp, hidden: [4]}",
                "noise.kind=pairflip",
                "noise.rate=0.1",
                "method.smoothing=0.2", "name=a=b", "data.limit=40", "schedule.milestones=[1, 2]",
                // No value: the default again.
                "seed=4", "seed=null",
            ])
        #expect(changed.optimizer.learningRate == 0.25)
        #expect(changed.model == ModelSpec(name: "mlp", hidden: [4]))
        #expect(changed.noise == LabelNoise(.pairflip, rate: 0.1))
        #expect(changed.method == AnyMethod(CrossEntropy(smoothing: 0.2)))
        #expect(changed.name == "a=b" && changed.data.limit == 40)
        #expect(changed.schedule.milestones == [1, 2] && changed.seed == 0)
    }

    @Test(arguments: [
        ("rate", #"--set: not an assignment: found "rate", expected key.path=value"#),
        ("=3", #"--set: not an assignment: found "=3", expected key.path=value"#),
        ("noise=", #"--set: not an assignment: found "noise=", expected key.path=value"#),
        ("a..b=3", #"--set: not an assignment: found "a..b", expected key.path=value"#),
        ("seed=[1", #"--set: not an assignment: found "seed=[1", expected key.path=value"#),
        (
            "optimizer.learning-rat=1",
            #"r.yaml, optimizer.learning-rat: unknown key "learning-rat" (did you mean "learning-rate"?)"#
        ),
        (
            "data.limit=x",
            #"r.yaml, line 1, data.limit: wrong value: found "x", expected a whole number"#
        ),
    ])
    func wrongOverrides(_ change: String, _ sentence: String) {
        #expect(failure { try recipe(Self.least, [change]) } == sentence)
    }

    // MARK: Comparison files

    private func comparison(_ text: String, _ overrides: [String] = []) throws -> ComparisonFile {
        try ComparisonFile([RecipeFile(text: text, file: "c.yaml")], overrides: overrides)
    }

    private static let rows = """
        data: {kind: embedded}
        model: {name: lenet5}
        optimizer: {learning-rate: 0.1}
        seeds: [4, 5]
        noises: [{kind: none}, {kind: symmetric, rate: 0.2}]
        rows:
          - {name: a, method: {name: cross-entropy}}
          - name: b
            method: {name: cross-entropy}
            search: {optimizer.weight-decay: [0.1, 0.2], training.epochs: [1, 2, 3]}
            search-on: first-phase
        """

    @Test func comparisonFiles() throws {
        let file = try comparison(Self.rows, ["optimizer.momentum=0.5"])
        #expect(file.seeds == [4, 5])
        #expect(file.noises == [LabelNoise(.clean), LabelNoise(.symmetric, rate: 0.2)])
        #expect(file.rows.map(\.name) == ["a", "b"])
        #expect(file.rows[0].candidates.map(\.setting) == [""])
        #expect(file.rows[1].scope == .firstPhase)
        #expect(
            file.rows[1].candidates.map(\.setting) == [
                "optimizer.weight-decay=0.1, training.epochs=1",
                "optimizer.weight-decay=0.1, training.epochs=2",
                "optimizer.weight-decay=0.1, training.epochs=3",
                "optimizer.weight-decay=0.2, training.epochs=1",
                "optimizer.weight-decay=0.2, training.epochs=2",
                "optimizer.weight-decay=0.2, training.epochs=3",
            ])
        let last = try file.rows[1].candidates[5].file.decoded(Recipe.self)
        #expect(
            last.optimizer == OptimizerOptions(learningRate: 0.1, momentum: 0.5, weightDecay: 0.2))
        #expect(last.training.epochs == 3)
    }

    @Test(arguments: [
        ("name: b", "name: a", #"c.yaml, rows: two rows of the same name: found "a""#),
        (
            "seeds: [4, 5]", "seeds: [4, 4]",
            "c.yaml, seeds: value out of range: expected 1 to 1000 different whole numbers"
        ),
        ("seeds: [4, 5]", "seeds: 4", "c.yaml, seeds: wrong value: found \"4\", expected a list"),
        (
            "{kind: none}, {kind: symmetric, rate: 0.2}", "",
            "c.yaml, noises: value out of range: found 0 entries, expected 1 to 100"
        ),
        (
            "first-phase", "last-phase",
            #"c.yaml, search-on: unknown word "last-phase" (did you mean "first-phase"?)"#
        ),
        (
            "[0.1, 0.2]", "0.1",
            "c.yaml, search.optimizer.weight-decay: wrong value: expected a list of values"
        ),
        (
            "optimizer.weight-decay: [", "optimizer.wait-decay: [",
            #"c.yaml, line 3, optimizer.wait-decay: unknown key "wait-decay" (did you mean "weight-decay"?)"#
        ),
        (
            "[1, 2, 3]", "[1, 2, x]",
            #"c.yaml, training.epochs: wrong value: found "x", expected a whole number"#
        ),
        (
            "optimizer: {learning-rate: 0.1}", "optimizer: {learning-rat: 0.1}",
            #"c.yaml, line 3, optimizer.learning-rat: unknown key "learning-rat" (did you mean "learning-rate"?)"#
        ),
        (
            "{name: a, method: {name: cross-entropy}}", "a",
            "c.yaml, rows.0: wrong value: expected a mapping"
        ),
    ])
    func wrongComparisons(_ found: String, _ replacement: String, _ sentence: String) throws {
        let text = Self.rows.replacing(found, with: replacement, maxReplacements: 1)
        try #require(text != Self.rows)
        #expect(failure { try comparison(text) } == sentence)
    }
}
