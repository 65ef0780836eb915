import Diagnostics
import Distillation
import Synchronization
import TestSupport
import Testing
import Torch

@testable import Training

/// Epochs whose steps take some of the training samples only.
@Suite(.serialized, .takesTurns) struct MembersTests {
    /// Cross-entropy; epoch e takes the samples whose row is e modulo 3, and epoch 2 all of them.
    private final class Thirds: Objective, Sendable {
        let seen = Mutex<[Int: [Int]]>([:])
        private let isRight: Bool

        init(isRight: Bool = true) { self.isRight = isRight }

        func beginEpoch(_ epoch: EpochContext) throws {
            guard epoch.epoch != 2 else { return }
            let train = epoch.phase.data.split.train
            let own = train.indices.filter { $0 % 3 == epoch.epoch % 3 }
            try epoch.use(
                members: isRight ? own.map { train[$0] } : epoch.phase.data.split.validation)
        }

        func losses(
            of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
        ) -> Losses {
            seen.withLock { $0[batch.epoch, default: []] += batch.rows.ints() }
            return CrossEntropyObjective().losses(of: learner, outputs, batch)
        }
    }

    private func recipe(_ objective: @escaping @Sendable () -> Thirds) throws -> Recipe {
        var recipe = try Tiny.recipe(
            "training.epochs=4", "training.batch=32", "training.checkpoint-steps=1")
        recipe.method = AnyMethod(OwnMethod("thirds") { _ in objective() })
        return recipe
    }

    @Test func stepsTakeTheChosenSamples() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let objective = Thirds()
            let run = try Tiny.run(recipe { objective }, scratch("run"))
            _ = try run.train()
            let rows = run.data.split.train.count
            let seen = objective.seen.withLock { $0 }
            for epoch in 0..<4 {
                let expected = (0..<rows).filter { epoch == 2 || $0 % 3 == epoch % 3 }
                #expect(seen[epoch]?.sorted() == expected, "epoch \(epoch)")
            }
            #expect(seen[0] != seen[0]?.sorted(), "in an order of its own")
            let epochs = run.store.metrics(run.chain[0])
            // Six steps of 170 samples; an epoch counts as whole.
            #expect(epochs.map(\.step) == [2, 8, 18, 20])
        }
    }

    /// Stopped after any step, inside a short epoch or at its end, and gone on with: the same bytes.
    @Test(arguments: [1, 2, 3, 4, 9, 11]) func resumes(_ stop: Int) throws {
        try withNoLeaks {
            let recipe = try recipe { Thirds() }
            let scratch = try Scratch()
            #expect(try Tiny.differences(afterStop: stop, of: recipe, scratch).isEmpty)
            let others = try Tiny.differences(
                afterStop: stop, of: recipe, scratch, droppingRandomState: true)
            #expect(others.contains("model.safetensors"), "else equal bytes would prove nothing")
        }
    }

    @Test func othersAreRefused() throws {
        let scratch = try Scratch()
        let run = try Tiny.run(recipe { Thirds(isRight: false) }, scratch("run"))
        #expect(
            failure { try run.train() }.hasPrefix(
                "phase student, epoch 1: the objective chose samples that an epoch cannot take: found "
            ))
    }
}
