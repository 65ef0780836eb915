import Files
import Foundation
import TestSupport
import Testing

@testable import Training

/// `stages: auto`: a stage that does not gain more than its standard error on the validation split is
/// declined, and its place in the chain is taken by the stage before it.
@Suite(.takesTurns) struct DeclinedStageTests {
    private static let auto = "method={name: self-distillation, stages: auto, max-stages: 2}"

    private func run(_ scratch: Scratch, _ changes: String...) throws -> (Run, [PhaseResult]) {
        var file = try RecipeFile(text: Tiny.text, file: "tiny")
        for change in changes { file = try file.setting(change) }
        let run = try Tiny.run(try file.decoded(Recipe.self), scratch("run"))
        return (run, try run.train().scores.phases)
    }

    /// Which validation samples a phase's last weights get right, by the saved file alone.
    private func right(_ run: Run, _ phase: String) throws -> [Bool] {
        let model = try SavedModel(path: "\(run.folder)/phases/\(phase)/last.safetensors")
        let p = try model.probabilities(run.data.learning)
        let classes = run.data.classCount
        return run.data.split.validation.map { member in
            let row = Array(p[member * classes..<(member + 1) * classes])
            return row.firstIndex(of: row.max()!)! == run.data.learning.labels[member]
        }
    }

    /// A first stage that memorised half of the wrong labels, and one that stops earlier on its labels: the
    /// verdict is what two saved files say.
    @Test func aStageThatGainsIsAccepted() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let (run, phases) = try run(
                scratch,
                "method={name: self-distillation, stages: auto, max-stages: 1, weights: last}",
                "data={kind: embedded, limit: 1000, validation: 0.4, clean-validation: true}",
                "noise.rate=0.5", "model.hidden=[64]", "optimizer.learning-rate=0.05",
                "training={epochs: 15, batch: 32, ema: 0}", "later={epochs: 3}")
            let verdict = try #require(phases[1].verdict)
            let (before, after) = (try right(run, "0-stage-0"), try right(run, "1-stage-1"))
            let d = zip(before, after).map { ($1 ? 1.0 : 0) - ($0 ? 1.0 : 0) }
            let n = Double(d.count)
            let mean = d.reduce(0, +) / n
            let variance = d.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / (n - 1)
            #expect(verdict.samples == d.count && verdict.over == "stage-0")
            #expect(abs(verdict.gain! - mean) < 1e-12)
            #expect(abs(verdict.standardError! - (variance / n).squareRoot()) < 1e-12)
            #expect(verdict.isAccepted && verdict.declined == nil && phases.accepted == 1)
            #expect(
                try readFile("\(run.folder)/model.safetensors")
                    == readFile("\(run.folder)/phases/1-stage-1/selected.safetensors"))
        }
    }

    /// A stage that cannot learn is declined; the next is not trained; the model is stage 0's.
    @Test func aStageThatDoesNotGainIsDeclined() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let (run, phases) = try run(scratch, Self.auto, "later={learning-rate: 1e-9}")
            #expect(phases.map(\.isDeclined) == [false, true, true] && phases.accepted == 0)
            let (first, second) = (try #require(phases[1].verdict), try #require(phases[2].verdict))
            #expect(first.over == "stage-0" && second.over == "stage-0")
            #expect(first.gain != nil && second.gain == nil)
            #expect(first.declined != nil && first.declined != phases[0].student)
            #expect(phases[1].epochs == 2 && phases[2].epochs == 0 && phases[2].steps == 0)
            for phase in phases {
                #expect(phase.student == phases[0].student && phase.ema == phases[0].ema)
            }
            for name in ["last", "selected", "ema-last", "ema-selected"] {
                let files = try ["0-stage-0", "1-stage-1", "2-stage-2"].map {
                    try readFile("\(run.folder)/phases/\($0)/\(name).safetensors")
                }
                #expect(files[1] == files[0] && files[2] == files[0], "\(name)")
            }
            #expect(
                try readFile("\(run.folder)/model.safetensors")
                    == readFile("\(run.folder)/phases/0-stage-0/selected.safetensors"))
            #expect(
                second.sentence
                    == "not trained: the stage before it was declined; the result is stage-0's")
            // Found again, whole.
            let record = try RunRecord(folder: run.folder)
            #expect(record.scores.phases == phases)
            #expect(record.metrics.map(\.count) == [2, 2, 0])
        }
    }

    /// Relations guide every stage, and a guided stage may be declined too.
    @Test func guidedStagesAreDeclined() throws {
        let (_, phases) = try run(
            Scratch(), Self.auto, "later={learning-rate: 1e-9}", "training.ema=0",
            "relation={ramp: 1, encoder: {epochs: 1, batch: 32, dimension: 16}}")
        #expect(phases.map(\.isDeclined) == [false, false, true, true])
    }

    @Test func recipes() throws {
        func options(_ text: String) throws -> SelfDistillationOptions {
            let recipe = try Tiny.recipe("method={name: self-distillation, \(text)}")
            let again = try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self)
            #expect(again == recipe)
            return try #require(recipe.method.base as? SelfDistillation).options
        }
        #expect(try options("stages: auto") == .init(stages: 3, mayDecline: true))
        #expect(
            try options("stages: auto, max-stages: 5, labels: hard")
                == .init(stages: 5, mayDecline: true, labels: .hard))
        #expect(try options("stages: 2") == .init(stages: 2))
        func said(_ text: String) -> String { failure { _ = try options(text) } }
        #expect(
            said("stages: 2, max-stages: 3")
                == "tiny, line 4, method.max-stages: a key that belongs to stages: auto: found a fixed number "
                + "of stages, expected stages: auto, or no max-stages")
        #expect(said("stages: auto, max-stages: 21").contains("method.max-stages"))
        #expect(said("stages: some").contains("method.stages"))
    }
}
