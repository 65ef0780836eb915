import Diagnostics
import Neural
import Torch

// Sentences on numbers that are not finite, and on what the engine refuses inside a phase.

extension Problem {
    private static func lower(_ checkpoint: String?) -> String {
        "lower optimizer.learning-rate; "
            + (checkpoint.map { "the last checkpoint is \($0)" } ?? "no checkpoint was written yet")
    }
    private static func place(_ phase: String, epoch: Int, step: Int) -> Place {
        Place(detail: ["phase \(phase)", "epoch \(epoch + 1)", "step \(step)"])
    }

    /// - Parameter epoch: counted from 0, here and below.
    static func notFinite(
        term: String, phase: String, epoch: Int, step: Int, checkpoint: String?
    ) -> Problem {
        Problem(
            .data, "the loss is not finite", at: place(phase, epoch: epoch, step: step),
            found: "term \"\(term)\"", expected: "a finite number", hint: lower(checkpoint))
    }
    static func notFinite(
        weights name: String, phase: String, epoch: Int, step: Int, checkpoint: String?
    ) -> Problem {
        Problem(
            .data, "the weights are not finite", at: place(phase, epoch: epoch, step: step),
            found: "tensor \(name)", expected: "finite numbers", hint: lower(checkpoint))
    }
    static func notFinite(
        sample: Int, split: String, phase: String, epoch: Int, step: Int, checkpoint: String?
    ) -> Problem {
        Problem(
            .data, "the network's outputs are not finite",
            at: place(phase, epoch: epoch, step: step),
            found: "sample \(sample) of the \(split) split", expected: "finite numbers",
            hint: "look at the sample, or " + lower(checkpoint))
    }
    /// Of a teacher or an encoder, before the first step.
    static func notFinite(sample: Int, phase: String) -> Problem {
        Problem(
            .data, "a network's outputs are not finite", at: .init(detail: ["phase \(phase)"]),
            found: "sample \(sample)", expected: "finite numbers",
            hint: "look at the sample and at the weights that the phase starts from")
    }
    static func notFinite(sample: Int, of data: String, file: String) -> Problem {
        Problem(
            .data, "the network's outputs are not finite", at: .file(file),
            found: "sample \(sample) of \(oneLine(data, limit: 80))", expected: "finite numbers",
            hint: "look at the sample, the weights and their normalisation")
    }
    static func oneValuePerChannel(
        phase: String, samples: Int, batch: Int, better: Int?
    ) -> Problem {
        Problem(
            .data, "a batch norm would see one value per channel",
            at: .init(detail: ["phase \(phase)", "training.batch"]),
            found: "a batch of 1 sample (\(samples) training samples in batches of \(batch))",
            expected: "more than one value per channel, as the variance needs two",
            hint: better.map { "set training.batch=\($0)" } ?? "take more training samples")
    }
    static func engine(
        _ error: EngineError, phase: String, epoch: Int? = nil, step: Int? = nil
    ) -> Problem {
        let detail =
            ["phase \(phase)"] + (epoch.map { ["epoch \($0 + 1)"] } ?? [])
            + (step.map { ["step \($0)"] } ?? [])
        guard error.reason != BatchNorm.oneValue else {
            return Problem(
                .data, "a batch norm sees one value per channel", at: .init(detail: detail),
                found: "a batch of shape \(error.shapes.first ?? [])",
                hint: "set another training.batch, so that no batch has one sample")
        }
        return Problem(.internal, "the engine failed: \(error)", at: .init(detail: detail))
    }

    /// A mistake of whoever wrote the objective.
    static func membersOfEpoch(phase: String, epoch: Int, _ count: Int) -> Problem {
        Problem(
            .internal, "the objective chose samples that an epoch cannot take",
            at: .init(detail: ["phase \(phase)", "epoch \(epoch + 1)"]), found: "\(count) samples",
            expected: "different ones of the training split, at least one, the same after a resume")
    }
}
