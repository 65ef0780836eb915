import Diagnostics
import Files
import Foundation
import Report
import SafeTensors
import Synchronization
import TestSupport
import Testing
import Torch

@testable import Datasets
@testable import Distillation
@testable import Models
@testable import Neural
@testable import Training

/// Distillation without data as training does it: pool, held-out images, interruption, records.
@Suite(.serialized, .takesTurns) struct DataFreeTests {
    static let synthesis =
        "{batch: 12, steps: 2, warm-up: 2, warm-up-batches: 3, batches-per-epoch: 2, width: 2, latent-dim: 4, "
        + "held-out-batches: 2}"

    static let text = """
        data: {kind: embedded, limit: 200}
        model: {name: resnet8, width: 0.1}
        method:
          name: data-free
          teacher: {model: {name: resnet8, width: 0.2}}
          steps-per-epoch: 5
          synthesis: \(synthesis)
        optimizer: {learning-rate: 0.02}
        training: {epochs: 2, batch: 16, checkpoint-steps: 2, ema: 0.9}
        """

    private func recipe(_ changes: String...) throws -> Recipe {
        var file = try RecipeFile(text: DataFreeTests.text, file: "tiny")
        for change in changes { file = try file.setting(change) }
        return try file.decoded(Recipe.self)
    }

    /// A run with real test data, and its folder.
    private func trained(_ scratch: Scratch, _ changes: String...) throws -> (Run, RunResult) {
        var file = try RecipeFile(text: DataFreeTests.text, file: "tiny")
        for change in changes { file = try file.setting(change) }
        let run = try Tiny.run(try file.decoded(Recipe.self), scratch("run"))
        return (run, try run.train())
    }

    /// The student's own, behind that of its teacher.
    private func section(_ scratch: Scratch) throws -> Section {
        let sections = try RunRecord(folder: scratch("run")).sections
        return try #require(sections.last?.last)
    }

    private func lines(_ path: String) throws -> [SynthesisMetrics] {
        try readFile(path).split(separator: 10).map {
            try JSON.read(SynthesisMetrics.self, $0)
        }
    }

    /// The student is the papers' where nobody names an optimizer, and only there.
    @Test func theUsualStudent() throws {
        func student(_ changes: String...) throws -> OptimizerOptions {
            var file = try RecipeFile(text: DataFreeTests.text, file: "tiny")
            for change in changes { file = try file.setting(change) }
            let recipe = try file.decoded(Recipe.self)
            let resolved = try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self)
            #expect(resolved == recipe)
            let phases = try recipe.phases(dataHash: "d", compute: Tiny.compute) { $0 }
            #expect(phases[0].learners[0].optimizer.learningRate == recipe.optimizer.learningRate)
            return phases[1].learners[0].optimizer
        }
        let usual = try student("optimizer=~")
        #expect(usual == OptimizerOptions(kind: .sgd, learningRate: 0.2, weightDecay: 1e-4))
        #expect(usual.momentum == 0.9)
        let mixed = try student("optimizer=~", "later={weight-decay: 0.001}")
        #expect((mixed.learningRate, mixed.weightDecay) == (0.2, 0.001))
        let named = try student()
        #expect((named.learningRate, named.weightDecay) == (0.02, 0))
        let other = try student(
            "optimizer=~", "method={name: distillation, teacher: {model: {name: resnet8}}}")
        #expect((other.learningRate, other.weightDecay) == (0.1, 0))
    }

    /// Vectors that come from files are known by what is in them, not by where they are.
    @Test func filesOfEmbeddingsEnterTheKey() throws {
        func key(_ embeddings: String, changed: String? = nil) throws -> String {
            try recipe("method.embeddings=\(embeddings)").phases(
                dataHash: "d", compute: Tiny.compute
            ) { $0 == changed ? "another" : $0 }.last!.key
        }
        for (embeddings, names) in [
            ("{kind: file, file: a.csv}", ["a.csv"]),
            ("{kind: glove, folder: g}", ["g/vectors.npy", "g/words.txt"]),
            ("{kind: minilm, folder: m}", ["m/config.json", "m/vocab.txt", "m/model.safetensors"]),
        ] {
            let plain = try key(embeddings)
            #expect(try key(embeddings, changed: "elsewhere") == plain)
            for name in names {
                #expect(try key(embeddings, changed: name) != plain, "\(name)")
            }
        }
    }

    @Test func whatARunLeaves() throws {
        let scratch = try Scratch()
        let (run, result) = try trained(scratch)
        #expect(run.chain.map(\.name) == ["teacher", "student"])
        let phase = result.scores.phases[1]
        let section = try section(scratch)
        // (2 epochs of warm-up · 3 + 2 epochs · 2) batches of 12.
        #expect(phase.value("images") == 120)
        #expect(
            section.findings[0]
                == "student learnt from 120 synthetic images (nayer, class vectors: one-hot) and saw no real one."
        )
        #expect(section.findings.count == 3 && section.findings[1].contains("24 held-out"))
        #expect(phase.metric.isOfTestLabels && phase.metric.note?.contains("24 held-out") == true)
        #expect(
            phase.value("held-out-agreement") == phase.student.last.validation.accuracy)
        #expect(phase.student.last.validation.samples == 24)
        #expect(phase.student.last.test.samples == run.data.testMembers.count)
        #expect(
            phase.value("teacher-accuracy")
                == result.scores.phases[0].student.selected.test.accuracy)
        #expect(phase.steps == 10)
        let folder = scratch("run/phases/1-student")
        let log = try lines("\(folder)/pool/synthesis.jsonl")
        #expect(log.map(\.epoch) == [1, 1, 1, 2, 2, 2, 3, 3, 4, 4])
        #expect(log.map(\.images) == (1...10).map { $0 * 12 })
        // The adversarial term begins with the students.
        #expect(log.map { $0.facts.terms["adversarial"] != nil } == log.map { $0.epoch > 2 })
        let pool = try SyntheticPool(run: scratch("run"))
        let data = try pool.dataset()
        #expect(data.count == 120 && data.sampleShape == [1, 28, 28])
        #expect(Array(data.labels.prefix(10)) == Array(0..<10))
        #expect(try pool.dataset(heldOut: true).count == 24)
        #expect(try pool.grids().map(\.epoch) == [0, 1, 2])
        // Two images of each of ten classes at each of these moments.
        let grid = try #require(section.imageGrids.first)
        #expect(grid.rows.count == 10 && grid.rows.allSatisfy { $0.images.count == 6 })
        #expect(grid.columns == ["warm-up", "", "epoch 1", "", "epoch 2", ""])
        let epochs = run.store.metrics(run.chain[1]).compactMap(\.metrics)
        #expect(epochs.map { $0["synthesis.images"] } == [96, 120])
        #expect(epochs.allSatisfy { $0["synthesis.batches"] == 2 })
        #expect(
            epochs.allSatisfy {
                $0["synthesis.accuracy"] != nil && $0["teacher-agreement"] != nil
            })
        #expect(section.charts.map(\.title).contains("Search for images, terms of its loss"))
        // Teacher and student are normalised alike, by the teacher's constants.
        let card = try SavedModel(path: scratch("run")).card
        #expect(card.model.width == 0.1 && card.normalisation == run.data.normalisation)
    }

    /// The student never sees a sample: other training data with the same teacher changes nothing.
    @Test func realSamplesDoNotTeach() throws {
        let scratch = try Scratch()
        let (run, first) = try trained(scratch)
        let teacher = "\(run.store.path(run.chain[0]))/selected.safetensors"
        let before = try readFile(teacher)
        func student(_ data: String, _ name: String) throws -> ([UInt8], RunResult) {
            let run = try Tiny.run(
                try recipe("method.teacher.file=\(teacher)", "data=\(data)"), scratch(name))
            let result = try run.train()
            return (try readFile("\(run.store.path(run.chain[0]))/last.safetensors"), result)
        }
        let (own, _) = try student("{kind: embedded, limit: 200}", "own")
        let (other, otherResult) = try student("{kind: embedded, limit: 100}", "other")
        let (none, result) = try student("{kind: none}", "none")
        #expect(own == other && own == none)
        #expect(own == (try readFile("\(run.store.path(run.chain[1]))/last.safetensors")))
        #expect(try readFile(teacher) == before, "to the last bit")
        // Without test samples everything is measured on held-out images.
        let last = result.scores.phases[0]
        #expect(last.metric.name == "agreement with the teacher" && !last.metric.isOfTestLabels)
        #expect(last.metric.testSet == "held-out synthetic images")
        #expect(last.value("teacher-accuracy") == nil)
        #expect(last.student.last.test == last.student.last.validation)
        #expect(
            last.student.last.validation == otherResult.scores.phases[0].student.last.validation)
        #expect(
            last.student.last.validation == first.scores.phases[1].student.last.validation)
        let facts = try RunFacts(folder: scratch("none"))
        #expect(facts.samples.values.allSatisfy { $0 == 0 } && facts.dataName == "no data")
        #expect(facts.warnings.count == 1 && facts.warnings[0].hasPrefix("no test data"))
        #expect(facts.classNames == run.data.learning.classNames, "from the teacher's file")
        for name in ["samples.csv", "labels.csv"] {
            #expect(!FileManager.default.fileExists(atPath: scratch("none/\(name)")))
        }
    }

    /// Every method, several students, learnt constants, a cap, spilling to the disk.
    @Test(arguments: [
        "method.synthesis={method: deep-inversion, batch: 12, steps: 2, warm-up-batches: 2}",
        "method.synthesis={method: dafl, batch: 12, steps: 2, width: 2, latent-dim: 4, warm-up-batches: 2, batches-per-epoch: 1}",
        "method.synthesis={method: fast-dfkd, batch: 12, steps: 2, width: 2, latent-dim: 4, warm-up: 2, reset-epoch: 1}",
        "method.synthesis={method: noise, batch: 12, warm-up: 2, warm-up-batches: 2}",
        "method.normalisation=learnt",
        "method.synthesis.memory=0",
        "method.synthesis.max-images=30",
        "method.peers=2",
    ])
    func variants(_ change: String) throws {
        let scratch = try Scratch()
        let (run, result) = try trained(scratch, change)
        let phase = try #require(result.scores.phases.last)
        let images = try #require(phase.value("images"))
        #expect(phase.student.last.test.samples == run.data.testMembers.count)
        if change.contains("cap") {
            #expect(images == 36, "whole batches, 30 or more")
            #expect(try SyntheticPool(run: scratch("run")).dataset().count == 36)
            let files = try FileManager.default.contentsOfDirectory(
                atPath: scratch("run/phases/1-student/pool"))
            #expect(files.count { $0.hasPrefix("batch") } == 3)
        }
        if change.contains("learnt") {
            let card = try SavedModel(path: scratch("run")).card
            #expect(card.normalisation.mean != [0.5])
            #expect(card.normalisation.mean != run.data.normalisation.mean)
        }
        if change.contains("memory") {
            let other = try Scratch()
            _ = try trained(other)
            let path = "run/phases/1-student/last.safetensors"
            #expect(try readFile(scratch(path)) == (try readFile(other(path))), "only slower")
        }
        if change.contains("peers") {
            #expect(phase.peers?.each.count == 2)
            let learners = run.store.metrics(run.chain[1]).last?.learners
            #expect(learners?.allSatisfy { $0.terms["divergence"] != nil } == true)
        }
    }

    /// Stopped while images are searched for or while the student learns, the run ends in the same bytes.
    @Test(arguments: [0, 1, 7, 12, 19, 27]) func stoppedAnywhere(_ steps: Int) throws {
        let scratch = try Scratch()
        let change = "method.synthesis.student-mode=train"
        let teacher = try trained(scratch, change).0
        let file = "\(teacher.store.path(teacher.chain[0]))/selected.safetensors"
        let recipe = try recipe("method.teacher.file=\(file)", change)
        _ = try Tiny.run(recipe, scratch("whole")).train()
        var environment = TrainingEnvironment()
        let asked = Counter()
        environment.shouldStop = { asked.next() == steps }
        #expect(
            failure { try Tiny.run(recipe, scratch("cut"), environment).train() }
                .hasPrefix("interrupted (checkpoint "))
        _ = try Tiny.run(recipe, scratch("cut")).train()
        let (whole, cut) = (try Tiny.content(scratch("whole")), try Tiny.content(scratch("cut")))
        #expect(whole.keys.sorted() == cut.keys.sorted())
        #expect(whole.filter { cut[$0.key] != $0.value }.keys.sorted() == [])
    }

    /// Not only interrupted: the checkpoint that comes of it is not written over.
    @Test func stoppedTwiceInOnePlace() throws {
        let scratch = try Scratch()
        var environment = TrainingEnvironment()
        let (teacher, _) = try trained(scratch)
        let file = "\(teacher.store.path(teacher.chain[0]))/selected.safetensors"
        let recipe = try recipe("method.teacher.file=\(file)")
        environment.shouldStop = { true }
        let first = failure { try Tiny.run(recipe, scratch("cut"), environment).train() }
        let second = failure { try Tiny.run(recipe, scratch("cut"), environment).train() }
        #expect(first == second && first.contains("step-000000000000"))
    }

    @Test func aDamagedPoolIsRefused() throws {
        let scratch = try Scratch()
        let (teacher, _) = try trained(scratch)
        let file = "\(teacher.store.path(teacher.chain[0]))/selected.safetensors"
        let recipe = try recipe("method.teacher.file=\(file)")
        var environment = TrainingEnvironment()
        let asked = Counter()
        environment.shouldStop = { asked.next() == 9 }
        _ = failure { try Tiny.run(recipe, scratch("cut"), environment).train() }
        let path = scratch("cut/phases/1-student/pool/batch-000001.bin")
        var bytes = try readFile(path)
        bytes[5] ^= 1
        try LocalFileSystem().write(bytes, to: path)
        #expect(
            failure { try Tiny.run(recipe, scratch("cut")).train() }
                == "\(path): the checkpoint is damaged: its content does not match its record "
                + "(restore it from a copy, or add --remake to make it again)")
    }

    @Test func imagesAlone() throws {
        let scratch = try Scratch()
        let run = try Tiny.run(try recipe(), scratch("run"))
        let pool = try run.synthesise(images: 50)
        // Warm-up epochs of 36 images.
        #expect(pool.count == 72)
        #expect(try pool.dataset().classCount == 10)
    }

    @Test func notANumberNamesTheTerm() throws {
        let scratch = try Scratch()
        let run = try Tiny.run(
            try recipe("method.synthesis.learning-rate=1e30", "method.synthesis.steps=4"),
            scratch("run"))
        let message = failure { try run.train() }
        #expect(
            message.hasPrefix(
                "phase student, synthesis epoch 1, batch 1, step "))
        #expect(
            message.contains(
                "the loss of the search for images is not finite: found term \""))
    }

    /// Learning rates of the papers: 0.2 at first, 2e-4 at the end.
    @Test func cosineEndsAtTheFloor() throws {
        let schedule = Schedule(.cosine, floor: 1e-3)
        let rates = [0, 40_000].map {
            0.2 * schedule.rate(step: $0, stepsPerEpoch: 400, epochs: 100)
        }
        try expectClose(rates, [0.2, 2e-4], 1e-12)
    }

    @Test func aTeacherWithoutBatchNormIsNoted() throws {
        let scratch = try Scratch()
        _ = try trained(
            scratch, "method.teacher={model: {name: lenet5}}", "training.augmentation={padding: 1}")
        #expect(
            try section(scratch).findings.last
                == "The teacher has no batch norm: nothing could be matched to its statistics, the term "
                + "that counts most.")
    }

    // MARK: Recipes

    @Test(arguments: [
        (
            "method={name: cross-entropy}", "data={kind: none}",
            "data.kind: method cross-entropy needs data: found none (only data-free does without)"
        ),
        (
            "data={kind: none}", "seed=1",
            "method.teacher.file: there is no data to train the teacher on: found data.kind none and "
                + "no file (give the teacher's weights as a file)"
        ),
        (
            "method.synthesis.method=dafl", "method.synthesis.generator-epochs=3",
            "method.synthesis.generator-epochs: key does not go with method.synthesis.method: found method dafl"
        ),
        (
            "method.synthesis={method: dafl}", "method.embeddings=one-hot",
            "method.embeddings: only nayer uses embeddings: found synthesis.method dafl"
        ),
        (
            "method.synthesis.bn-momentum=1", "seed=1",
            "method.synthesis.bn-momentum: value out of range: found 1.0, expected in [0, 1)"
        ),
        (
            "method.synthesis.batch=1", "seed=1",
            "method.synthesis.batch: value out of range: found 1, expected 2 to 65536"
        ),
        (
            "method.normalisation={mean: [0], std: [0]}", "seed=1",
            "method.normalisation: value out of range: found mean [0.0], std [0.0], expected "
                + "one of each per channel, stds above 0"
        ),
        (
            "method.synthesis={method: deep-inversion, adam-betas: [0.5]}", "seed=1",
            "method.synthesis.adam-betas: value out of range: found [0.5], expected two in [0, 1)"
        ),
        (
            "method.synthesis={rolling-shift: 0.1}", "seed=1",
            "method.synthesis.rolling-shift: key does not go with method.synthesis.method: "
                + "found method nayer"
        ),
        (
            "method.mutual={weight: 1}", "seed=1",
            "method.mutual: value out of range: found one student, expected peers: 2 or more"
        ),
    ])
    func sentences(_ first: String, _ second: String, _ sentence: String) {
        #expect(
            failure { try recipe(first, second) }.replacing("tiny, ", with: "")
                .replacing(#/line \d+, /#, with: "") == sentence)
    }

    @Test func resolvedRecipesMeanTheSame() throws {
        for change in [
            "seed=1", "method.synthesis={method: deep-inversion}", "method.normalisation=learnt",
            "method.embeddings={kind: random, dimension: 8}", "method.peers=3",
        ] {
            let recipe = try recipe(change)
            let again = try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self)
            #expect(again == recipe, "\(change)")
        }
    }
}

/// Counts calls from any thread.
private final class Counter: Sendable {
    private let count = Mutex(0)
    /// The number of this call, from 0.
    func next() -> Int {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}
