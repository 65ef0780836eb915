import Diagnostics
import Foundation
import Report
import Testing
import Training

@testable import Experiments

struct MethodProbeTests {
    private func facts(
        best: Double, last: Double, trained: Double, images: Bool = true, samples: Int = 1000
    ) -> DataFacts {
        DataFacts(
            samples: samples, classes: 10, dimension: 64, isImages: images,
            hasMetaValidation: false, isMetaValidationClean: false, epochs: 3, best: best,
            last: last, trained: trained, error: 0.01)
    }

    private func probe(_ text: String, _ change: (inout MethodProbe.Question) -> Void = { _ in })
        throws -> MethodProbe
    {
        var question = MethodProbe.Question()
        change(&question)
        return try MethodProbe(RecipeFile(text: text, file: "recipe"), question: question)
    }

    private static let plain = """
        data: {kind: gaussian-classes}
        model: {name: mlp, hidden: [8]}
        method: {name: cross-entropy}
        training: {epochs: 3}
        """

    /// As many held out as trained on, where there are so many.
    @Test func halfOfTheSamplesMeasure() throws {
        func counts(_ text: String, _ samples: Int) throws -> (train: Int, held: Int) {
            let recipe = try probe(text) { $0.samples = samples }.base.decoded(Recipe.self)
            let data = try PreparedData(recipe.data, noise: recipe.noise, seed: 0)
            return (data.split.train.count, data.split.validation.count)
        }
        let many = try counts(Self.plain, 500)
        #expect(abs(many.train - 500) < 20 && abs(many.held - 500) < 20, "\(many)")
        let few = try counts(
            Self.plain.replacing(
                "{kind: gaussian-classes}", with: "{kind: gaussian-classes, limit: 500}"),
            5000)
        let share = Double(few.held) / Double(few.train + few.held)
        #expect(few.train + few.held > 350 && abs(share - 0.3) < 0.03, "\(few)")
    }

    @Test func aMethodIsJudgedByItsCondition() throws {
        func expected(_ facts: DataFacts) throws -> [String: MethodAdvice.Expectation] {
            let list = try probe(Self.plain).advices(facts)
            return Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.advice.expectation) })
        }
        let noisy = try expected(facts(best: 0.5, last: 0.3, trained: 0.95))
        #expect(noisy["early-learning"] == .helps && noisy["co-teaching"] == .helps)
        #expect(noisy["self-distillation"] == .open && noisy["relations"] == .helps)
        #expect(noisy["data-free"] == .doesNot && noisy["distillation"] == .doesNot)
        #expect(noisy["cross-entropy"] == nil, "it is what the others are compared with")
        let clean = try expected(facts(best: 0.98, last: 0.98, trained: 1))
        for method in ["early-learning", "co-teaching", "self-distillation", "relations"] {
            #expect(clean[method] == .doesNot, "\(method)")
        }
        let table = try expected(facts(best: 0.5, last: 0.3, trained: 0.95, images: false))
        #expect(table["relations"] == .doesNot)
    }

    /// Every change that a method names is one that a recipe takes.
    @Test func everyTrialIsARecipe() throws {
        for own in [
            facts(best: 0.5, last: 0.3, trained: 0.95), facts(best: 0.98, last: 0.98, trained: 1),
        ] {
            let probe = try probe(Self.plain) { $0.triesAll = true }
            let (file, faults) = try probe.second(own) { _ in nil }
            #expect(faults.isEmpty)
            for row in file.rows {
                _ = try row.candidates[0].file.decoded(Recipe.self).checked(as: row.name)
            }
            let names = Set(file.rows.map(\.name))
            #expect(
                names.isSuperset(of: [
                    "cross-entropy", "weight decay 0.005", "self-distillation", "mutual",
                    "early-learning", "co-teaching", "adaptive-mixing", "relations",
                ]), "\(names)")
        }
    }

    @Test func onlyWhatMayHelpIsTried() throws {
        let (file, _) = try probe(Self.plain).second(facts(best: 0.98, last: 0.98, trained: 1)) {
            _ in
            nil
        }
        #expect(!file.rows.map(\.name).contains("early-learning"))
        let (rest, faults) = try probe(Self.plain).second(facts(best: 0.5, last: 0.3, trained: 0.9))
        {
            $0.rows[0].name == "mutual"
                ? Problem(.data, "no", at: .file("recipe", "mutual"), expected: "yes") : nil
        }
        #expect(!rest.rows.map(\.name).contains("mutual") && faults.keys.sorted() == ["mutual"])
    }

    @Test func theRecipesOwnMethodIsARow() throws {
        let own = Self.plain.replacing(
            "{name: cross-entropy}", with: "{name: mutual, peers: 3}")
        let (file, _) = try probe(own).second(facts(best: 0.5, last: 0.3, trained: 0.9)) { _ in nil
        }
        let row = try #require(file.rows.last)
        #expect(row.name == "as in the recipe")
        #expect(try row.candidates[0].file.decoded(Recipe.self).method.name == "mutual")
        let (plain, _) = try probe(Self.plain).second(facts(best: 0.5, last: 0.3, trained: 0.9)) {
            _ in
            nil
        }
        #expect(plain.rows.last?.name != "as in the recipe")
    }

    @Test func oneSeedIsRefused() throws {
        let problem = #expect(throws: Problem.self) { try probe(Self.plain) { $0.seeds = [0] } }
        #expect(problem.map { "\($0)" }?.contains("2 or more") == true)
    }

    @Test func answersSayWhatChanceLeaves() throws {
        let sure = try #require(PairedDifference([0.02, 0.021, 0.019]))
        let unsure = try #require(PairedDifference([0.02, -0.02, 0.01]))
        let loss = try #require(PairedDifference([-0.02, -0.021, -0.019]))
        #expect(MethodProbe.answer(sure, .doesNot) == .yes, "what was measured counts")
        #expect(MethodProbe.answer(unsure, .helps) == .perhaps)
        #expect(MethodProbe.answer(loss, .helps) == .no)
        #expect(MethodProbe.answer(nil, .doesNot) == .no)
        #expect(MethodProbe.answer(nil, .open) == .perhaps)
    }

    /// Without a row to compare with there is no advice.
    @Test func crossEntropyThatFailsIsSaid() throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "probe-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let probe = try probe(Self.plain + "\noptimizer: {learning-rate: 1e30}") {
            ($0.samples, $0.seeds) = (100, [0, 1])
        }
        let record = try run(try probe.first(), folder, [0, 1])
        let problem = #expect(throws: Problem.self) { try probe.facts(record) }
        #expect(problem.map { "\($0)" }?.contains("cross-entropy could not be trained") == true)
    }

    private func run(
        _ file: ComparisonFile, _ folder: String, _ seeds: [UInt64]
    ) throws -> ComparisonRecord {
        try Comparison(
            file, folder: folder, seeds: seeds,
            compute: { _ in ComputeOptions(threads: 1, device: .cpu, precision: .float32) },
            threads: 1, workers: 1
        ).run()
        return try ComparisonRecord(folder: folder)
    }

    /// Cross-entropy first, then the rest, in one folder: the facts and the verdicts of a real probe.
    @Test func probesSomeData() throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "probe-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var question = MethodProbe.Question()
        (question.samples, question.seeds) = (300, [0, 1])
        let probe = try MethodProbe(
            RecipeFile(text: Self.plain, file: "recipe"), question: question,
            methods: MethodRegistry([CrossEntropy.self, SelfDistillation.self]))
        let facts = try probe.facts(try run(probe.first(), folder, question.seeds))
        #expect(facts.dimension == 14 && facts.classes == 20 && facts.epochs == 3)
        #expect(abs(facts.samples - 300) < 20 && facts.best >= facts.last && !facts.isImages)
        let record = try run(
            probe.second(facts) { _ in nil }.file, folder, question.seeds)
        let verdicts = try probe.verdicts(facts, record)
        #expect(
            Set(verdicts.map(\.method))
                == ["weight decay 0.005", "weight decay 0.02", "self-distillation", "relations"])
        #expect(verdicts.last?.method == "relations" && verdicts.last?.gain == nil)
        let gains = verdicts.compactMap(\.gain?.mean)
        #expect(gains.count == 3 && gains == gains.sorted(by: >))
        #expect(MethodProbe.testGain(of: "self-distillation", record)?.pairs == 2)
    }
}
