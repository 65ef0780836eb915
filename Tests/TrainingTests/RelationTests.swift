import Datasets
import Diagnostics
import Distillation
import Files
import Foundation
import Models
import Neural
import SafeTensors
import Synchronization
import TestSupport
import Testing
import Torch

@testable import Training

/// An encoder that learns without labels, and students that it guides.
@Suite(.serialized, .takesTurns) struct RelationTests {
    static let encoder = "{epochs: 2, batch: 64, dimension: 16, neighbours: 5}"
    static let relation = "relation={encoder: \(encoder), ramp: 0}"

    private func recipe(_ changes: [String]) throws -> Recipe {
        var file = try RecipeFile(text: Tiny.text, file: "tiny")
        for change in changes { file = try file.setting(change) }
        return try file.decoded(Recipe.self)
    }

    private func chain(_ changes: String..., hash: String = "noisy") throws -> [PhaseSpec] {
        try recipe(changes).phases(
            dataHash: hash, samplesHash: "samples", compute: Tiny.compute
        ) { _ in "h" }
    }

    /// A base with a step of its own would train without the relation terms: it is refused.
    @Test func basesWithStepsOfTheirOwnAreRefused() throws {
        struct Own: PhaseTarget {
            static let name = "own-step"
            var traits: PhaseTraits { PhaseTraits(hasOwnStep: true) }
            func objective(_ phase: PhaseContext) throws -> any Objective {
                CrossEntropyObjective()
            }
        }
        let scratch = try Scratch()
        let data = try Tiny.run(recipe([Self.relation]), scratch("run")).data
        let guided = RelationGuided.Target(
            base: AnyTarget(Own()), guidance: .init(), encoder: .phase(key: "k", .last))
        #expect(
            failure { try guided.check(data) }
                == "relation: relations cannot guide this method: found steps of its own (own-step), "
                + "expected a method that only has losses")
        let plain = RelationGuided.Target(
            base: AnyTarget(CrossEntropy.Target()), guidance: .init(),
            encoder: .phase(key: "k", .last))
        #expect(failure { try plain.check(data) } == "nothing thrown")
    }

    // MARK: The chain

    @Test func encodersAreSharedByNoisesAndMethods() throws {
        let own = try chain(Self.relation)
        #expect(own.map { "\($0.index)-\($0.name)" } == ["0-relations", "0-student"])
        let key = own[0].key
        #expect(!own[0].traits.learnsLabels && own[0].guidance == nil)
        #expect(own[1].guidance?.encoder == .phase(key: key, .last))
        #expect(own[1].neededKeys == [key])
        for other in [
            "noise.rate=0.5", "noise={kind: pairflip, rate: 0.2}", "noise={kind: none}",
            "method={name: mutual}", "method={name: cross-entropy, loss: gce}",
            "optimizer.learning-rate=0.5", "training.epochs=7", "training.ema=0.5",
            "training.augmentation.flip=true", "data.clean-validation=true", "relation.weight=3",
            "relation.edge=mse", "relation.centre=true", "relation.start=encoder", "later.epochs=3",
        ] {
            #expect(try chain(Self.relation, other, hash: "other")[0].key == key, "\(other)")
        }
        for other in [
            "seed=1", "data.limit=150", "relation.encoder.epochs=3", "relation.encoder.kind=simclr",
            "relation.encoder.model={name: lenet5}", "relation.encoder.views.flip=0",
            "relation.encoder.optimizer.learning-rate=0.5", "model.hidden=[8]",
        ] {
            #expect(try chain(Self.relation, other)[0].key != key, "\(other)")
        }
    }

    /// Students of all stages, no teachers; and what has no relation keeps its key.
    @Test func studentsAloneAreGuided() throws {
        func guided(_ method: String) throws -> [String] {
            try chain(Self.relation, "method=\(method)").filter { $0.guidance != nil }.map(\.name)
        }
        #expect(try guided("{name: distillation}") == ["student"])
        #expect(
            try guided("{name: self-distillation, stages: 2}") == ["stage-0", "stage-1", "stage-2"])
        #expect(try guided("{name: adaptive-mixing}") == ["student"])
        #expect(try guided("{name: mutual}") == ["peers"])
        let plain = try chain("method={name: distillation}")
        let related = try chain(Self.relation, "method={name: distillation}")
        #expect(related[1].key == plain[0].key && related[2].key != plain[1].key)
        // Stage 1 learns from the guided stage 0.
        let stages = try chain(Self.relation, "method={name: self-distillation}")
        #expect(stages[2].neededKeys == [stages[0].key, stages[1].key])
        // A stage that goes on from the last one keeps its weights.
        let previous = try chain(
            Self.relation, "relation.start=encoder",
            "method={name: self-distillation, start: previous}")
        #expect(
            previous[1].start?.isFeaturesOnly == true && previous[2].start?.isFeaturesOnly == false)
    }

    /// Centred or not are two phases.
    @Test func centringHasAKeyOfItsOwn() throws {
        let plain = try chain(Self.relation, "relation.centre=false")[1]
        let centred = try chain(Self.relation, "relation.centre=true")[1]
        #expect(plain.key != centred.key)
        #expect(try recipe([Self.relation]).yaml.contains("centre:"))
    }

    @Test func searchesOfTheFirstPhaseTakeTheEncoderAlong() throws {
        let chain = try chain(Self.relation, "method={name: distillation}")
        #expect(chain.searchedFirst.map(\.name) == ["relations", "teacher"])
        #expect(Array(chain.dropFirst()).searchedFirst.map(\.name) == ["teacher"])
    }

    @Test func recipesAreWrittenInFullAndReadBack() throws {
        for change in [
            "{}", "{edge: none, node: none, start: encoder}", "{edge: {name: rkd, distance: 0}}",
            "{edge: {name: queue, size: 7, student-temperature: 0.3}, rows: likely-wrong}",
            "{edge: {name: neighbours, count: 3}, node: kl, weight: 0.1, node-weight: 2, ramp: 3}",
            "{edge: sp, encoder: {kind: simclr, model: {name: lenet5}, views: {scale: [0.5, 1]}}}",
            "{edge: {name: pkt, scale: 2}, node: none}", "{edge: {name: cc, gamma: 1}}",
            "{edge: plain}", "{edge: distance}", "{centre: true}", "{centre: false, node: none}",
        ] {
            let recipe = try recipe(["relation=\(change)"])
            let again = try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self)
            #expect(again == recipe, "\(change)")
        }
        #expect(try !recipe([]).yaml.contains("relation"))
    }

    @Test(arguments: [
        (
            "{edge: none, node: none}",
            "relation.start: value out of range: found fresh with neither edge nor node, expected start: encoder, or a term"
        ),
        ("{weight: -1}", "relation.weight: value out of range: found -1.0, expected 0 or more"),
        ("{ramp: -1}", "relation.ramp: value out of range: found -1, expected 0 to 100000"),
        (
            "{edge: {name: softmax, encoder-temperature: 0}}",
            "relation.edge.encoder-temperature: value out of range: found 0.0, expected above 0"
        ),
        (
            "{edge: {name: queue, size: 0}}",
            "relation.edge.size: value out of range: found 0, expected 1 to 65536"
        ),
        (
            "{encoder: {batch: 1}}",
            "relation.encoder.batch: value out of range: found 1, expected 2 to 65536"
        ),
        (
            "{encoder: {views: {hue: 1}}}",
            "relation.encoder.views.hue: value out of range: found 1.0, expected 0 to 0.5"
        ),
        (
            "{encoder: {model: {name: lenet5}}, start: encoder}",
            "relation.start: value out of range: found encoder with a student of another network (mlp), expected one network for both, or start: fresh"
        ),
        (
            "{encoder: {optimizer: {learning-rate: 0}}}",
            "relation.encoder.optimizer: learning-rate is out of range: found 0.0, expected a number above 0"
        ),
        (
            "{edges: mse}",
            "relation.edges: unknown key \"edges\" (did you mean \"edge\"?)"
        ),
    ])
    func refuses(_ text: String, _ sentence: String) throws {
        let said = failure { try recipe(["relation=\(text)"]) }
        #expect(said.hasSuffix(sentence), "\(said)")
    }

    @Test func refusesStudentsWithoutSamples() {
        let said = failure { try recipe([Self.relation, "method={name: data-free}"]) }
        let sentence =
            "relation: relations are between samples: found method data-free, whose student sees none, "
            + "expected a method that learns from labelled samples"
        #expect(said.hasSuffix(sentence), "\(said)")
    }

    @Test func refusesTables() throws {
        let scratch = try Scratch()
        let said = failure {
            try Tiny.run(
                recipe([Self.relation, "data={kind: spiral}", "model={name: mlp}"]), scratch("run"))
        }
        #expect(
            said.hasPrefix("relation: relations are learnt from images only: found "), "\(said)")
    }

    // MARK: Runs

    private func metrics(_ run: Run) -> [[EpochMetrics]] { run.chain.map(run.store.metrics) }

    @Test(arguments: ["simsiam", "simclr"]) func encodersLearn(_ kind: String) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                recipe([
                    Self.relation, "relation.encoder.kind=\(kind)", "relation.encoder.epochs=6",
                    "relation.encoder.optimizer={learning-rate: 0.05}",
                ]), scratch("run"))
            let phases = try run.train().scores.phases
            let sections = try SectionFiles.read(scratch("run/phases/0-relations"), remedy: .remake)
            let section = try #require(sections.first)
            func value(_ key: String) throws -> Double { try #require(phases[0].value(key)) }
            let loss = metrics(run)[0].map(\.loss)
            #expect(loss.count == 6 && loss[5] < loss[0])
            let nearest = phases[0].student.last.test
            #expect(try value("neighbours") == nearest.accuracy && nearest.samples == 1000)
            #expect(!phases[0].metric.isShown && phases[1].metric == .accuracy)
            #expect(section.findings[0].contains(kind))
            #expect(section.tables[0].rows.map { $0[1] } == ["all", "all", "170", "170", "170"])
            #expect(
                nearest.accuracy > 0.3 && section.warnings.allSatisfy { !$0.contains("collapsed") })
            #expect(
                try value("embedding-std") == metrics(run)[0].last?.metrics?["embedding-std"])
            // The whole training split is the small bank here, and no split is larger than the queries'.
            #expect(try value("neighbours-few") == nearest.accuracy)
            // 784 × 16 + 16 in front of the head.
            #expect(try value("parameters") == 12_560)
            #expect(section.heatMaps.map(\.values.count) == [10, 100])
            #expect(section.summary?.contains(" nearest neighbours ") == true)
            #expect(phases[1].sections == [])
            let terms = try #require(metrics(run)[1].last).terms
            #expect(Set(terms.keys) == ["cross-entropy", "edge", "node"])
        }
    }

    /// An encoder that knows no more than the pixels is told of as soon as it is trained, before any student
    /// takes a step, with both figures; and again where it is found.
    @Test func poorEncodersAreToldOfBeforeTheyGuide() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let events = Mutex<[String]>([])
            var environment = TrainingEnvironment()
            environment.observe = { event in
                if event.isWorthALine { events.withLock { $0.append("\(event)") } }
            }
            // One step hardly moves it, and 16 units see less than 784 pixels.
            let text = [Self.relation, "relation.encoder.epochs=1", "training.epochs=1"]
            let run = try Tiny.run(recipe(text), scratch("run"), environment)
            let phases = try run.train().scores.phases
            let section = try #require(
                try SectionFiles.read(scratch("run/phases/0-relations"), remedy: .remake).first)
            let rows = section.tables[0].rows
            let (own, pixels) = (rows[2][2], rows[4][2])
            let warning =
                "The encoder of relations is no better than the pixels: nearest neighbours \(own) right in "
                + "its features, \(pixels) in the pixels (validation split). Its relations may guide "
                + "little. Try more relation.encoder.epochs, other relation.encoder.views, or "
                + "relation.encoder.kind=simclr."
            #expect(section.warnings == [warning] && phases[0].warnings == [warning])
            func check(_ events: [String]) throws {
                let told = try #require(events.firstIndex { $0.hasSuffix("; warning: \(warning)") })
                let guided = try #require(events.firstIndex { $0.hasPrefix("student") })
                #expect(told < guided)
            }
            try check(events.withLock(\.self))
            events.withLock { $0 = [] }
            _ = try Tiny.run(recipe(text), scratch("run"), environment).train()
            try check(events.withLock(\.self))
            // What it advises is what a recipe may say.
            let advised = try recipe([
                Self.relation, "relation.encoder.kind=simclr", "relation.encoder.epochs=3",
                "relation.encoder.views={scale: [0.5, 1]}",
            ])
            #expect(advised.relation?.encoder.kind == .simCLR)
        }
    }

    /// By the validation split, and only where it is not above.
    @Test func encodersAboveThePixelsAreNotPoor() {
        func isPoor(_ encoder: Double, _ pixels: Double) -> Bool {
            func both(_ x: Double) -> RelationsResult.Accuracies { .init(validation: x, test: 0.5) }
            return RelationsResult.Reference(
                bank: 1, encoder: both(encoder), untrained: both(0), pixels: both(pixels)
            ).isPoor
        }
        #expect(isPoor(0.8, 0.8) && isPoor(0.7, 0.8) && isPoor(.nan, 0.8))
        #expect(!isPoor(0.9, 0.8))
    }

    /// The labels of the encoder's measures are those before noise: another noise, the same bytes.
    @Test func encodersDoNotSeeTheNoise() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            for (i, rate) in ["0.2", "0.6"].enumerated() {
                let run = try Tiny.run(
                    recipe([Self.relation, "noise.rate=\(rate)"]), scratch("run-\(i)"))
                _ = try run.store.complete(
                    run.chain[0], chain: run.chain, data: run.data, environment: .init())
            }
            for file in ["last.safetensors", "result.json", "metrics.jsonl"] {
                #expect(
                    try readFile(scratch("run-0/phases/0-relations/\(file)"))
                        == readFile(scratch("run-1/phases/0-relations/\(file)")), "\(file)")
            }
        }
    }

    /// While κ is 0 the student is the one that learns without relations, to the last bit.
    @Test func nothingChangesBeforeTheRamp() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let plain = try Tiny.run(recipe(["training.epochs=1"]), scratch("plain"))
            let ramp = try Tiny.run(
                recipe(["training.epochs=1", Self.relation, "relation.ramp=10"]), scratch("ramp"))
            let guided = try Tiny.run(
                recipe(["training.epochs=1", Self.relation]), scratch("guided"))
            let results = try [plain, ramp, guided].map { try $0.train().scores.phases.last! }
            #expect(results[0].student == results[1].student)
            #expect(results[0].student != results[2].student)
        }
    }

    @Test func encodersWeightsAreTheStart() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                recipe([
                    "relation={encoder: \(Self.encoder), edge: none, node: none, start: encoder}"
                ]), scratch("run"))
            _ = try run.store.complete(
                run.chain[0], chain: run.chain, data: run.data, environment: .init())
            let file = try SafeTensorsFile(
                path: run.store.weightsPath(run.chain[0], .last))
            let trainer = try PhaseTrainer(
                run.chain[1], data: run.data, folder: scratch("phase"), environment: .init()
            ) { _ in
                // A head that nobody must take over.
                let tensors = try WeightsFile.tensors(of: file)
                tensors["layers.1.weight"]!.fill(7)
                return (run.chain[0].model, tensors)
            }
            let state = Dictionary(
                uniqueKeysWithValues: trainer.learners[0].network.state.map { ($0.name, $0.tensor) }
            )
            for name in ["layers.0.weight", "layers.0.bias"] {
                #expect(try Array(file.bytes(of: name)) == state[name]!.bytes())
            }
            // The head is a fresh student's.
            let fresh = try ModelRegistry.make(
                run.recipe.model, sampleShape: [1, 28, 28], classes: 10,
                seed: run.chain[1].derivedSeed)
            #expect(state["layers.1.weight"]!.bytes() == fresh.head.weight.tensor.bytes())
            #expect(trainer.objective is CrossEntropyObjective)
        }
    }

    /// Two peers of different width: one φ, trained by the first one's optimizer.
    @Test func projectionsAreTrained() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                recipe([
                    Self.relation,
                    "method={name: mutual, peers: [{model: {name: mlp, hidden: [12]}}, {}]}",
                    "training.epochs=1",
                ]), scratch("run"))
            _ = try run.store.complete(
                run.chain[0], chain: run.chain, data: run.data, environment: .init())
            let file = try SafeTensorsFile(path: run.store.weightsPath(run.chain[0], .last))
            let trainer = try PhaseTrainer(
                run.chain[1], data: run.data, folder: scratch("phase"), environment: .init()
            ) { _ in (run.chain[0].model, try WeightsFile.tensors(of: file)) }
            let projection = trainer.objective.parameters(of: 0)
            #expect(projection.map(\.tensor.shape) == [[16, 12], [16]])
            #expect(trainer.objective.parameters(of: 1).isEmpty)
            let before = projection[0].tensor.floats()
            try trainer.prepare()
            _ = try trainer.run()
            #expect(projection[0].tensor.floats() != before)
            #expect(
                trainer.learners[0].optimizer.parameters.map(\.name).suffix(2) == [
                    "relation.weight", "relation.bias",
                ])
        }
    }

    // MARK: Resuming

    /// Stopped inside the encoder, inside an epoch of the student that weighs rows, and at the end of
    /// epochs: the same bytes.
    @Test(arguments: [1, 3, 4, 6, 8, 9]) func resumesExactly(_ stop: Int) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let text = [
                "relation={encoder: {epochs: 2, batch: 64, dimension: 16, model: {name: mlp, hidden: [8]}}, ramp: 1, rows: likely-wrong, edge: {name: queue, size: 100}}",
                "training.epochs=3", "training.batch=64", "training.checkpoint-steps=1000",
            ]
            let whole = try Tiny.run(recipe(text), scratch("whole"))
            _ = try whole.train()
            let count = StepCount()
            var environment = TrainingEnvironment()
            environment.observe = { if case .step = $0 { count.add() } }
            environment.shouldStop = { count.value == stop }
            let cut = try Tiny.run(recipe(text), scratch("cut"), environment)
            #expect(failure { try cut.train() }.contains("interrupted"))
            environment.shouldStop = { false }
            _ = try Tiny.run(recipe(text), scratch("cut"), environment).train()
            let (a, b) = (try Tiny.content(scratch("whole")), try Tiny.content(scratch("cut")))
            #expect(Set(a.keys) == Set(b.keys))
            #expect(a.filter { b[$0.key] != $0.value }.map(\.key) == [])
        }
    }
}

private final class StepCount: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}

extension PhaseSpec {
    /// What guides its students.
    fileprivate var guidance: RelationGuided.Target? { target.base as? RelationGuided.Target }
}
