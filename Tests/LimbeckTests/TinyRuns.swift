import Files
import Foundation
import TestSupport
import Torch
import Training

/// Recipes that train in a second.
enum TinyRuns {
    static func text(
        _ method: String, model: String = "{name: mlp, hidden: [24]}", extra: String = ""
    ) -> String {
        """
        data: {kind: embedded, limit: 200}
        noise: {kind: symmetric, rate: 0.3}
        model: \(model)
        method: \(method)
        optimizer: {learning-rate: 0.02}
        training: {epochs: 2, batch: 32, checkpoint-steps: 3\(extra)}
        """
    }

    /// Every method; between them: dropout, augmentation, the average of weights with and without
    /// being the result, fresh and continued weights, hard and soft labels, Adam's state, an encoder
    /// without labels and what its relation terms own.
    static let recipes: [(name: String, text: String)] = [
        (
            "cross-entropy",
            text(
                "{name: cross-entropy}", model: "{name: mlp, hidden: [24], dropout: 0.2}",
                extra: ", ema: 0")
        ),
        (
            "distillation",
            text(
                "{name: distillation, temperature: 2}", model: "{name: lenet5}",
                extra: ", ema: 0.9, use-ema: true, augmentation: {padding: 2, flip: true}")
        ),
        (
            "self-distillation",
            text(
                "{name: self-distillation, stages: 2, labels: hard, start: previous}",
                extra: ", ema: 0.9"
            )
            .replacing("{learning-rate: 0.02}", with: "{kind: adamw, learning-rate: 0.002}")
        ),
        declinedStage,
        (
            "mutual",
            text(
                "{name: mutual, peers: [{}, {model: {name: lenet5}, optimizer: {kind: adam}}], "
                    + "update: recomputed, order: {kind: cosine, from: 2, to: 0.5}, "
                    + "noise-per-peer: true}",
                model: "{name: mlp, hidden: [24], dropout: 0.2}", extra: ", ema: 0.9")
        ),
        (
            "adaptive-mixing",
            text(
                "{name: adaptive-mixing, warm-up: 0, meta-interval: 1, batches-per-group: 1, meta-repeats: 20, initial-weight: 0.5, "
                    + "rule: softmax, teachers: [{snapshot-epochs: [1]}, {untrained: true}]}",
                extra: ", ema: 0, augmentation: {flip: true}")
        ),
        (
            "relation",
            text(
                "{name: mutual, peers: [{model: {name: mlp, hidden: [12]}}, {}]}",
                extra: ", ema: 0")
                + "\nrelation: {ramp: 1, rows: likely-wrong, edge: {name: queue, size: 100}, "
                + "encoder: {epochs: 2, batch: 32, dimension: 16}}"
        ),
        (
            "truncated-gce",
            text(
                "{name: truncated-gce, q: 0.1, start: 1, every: 1, threshold: 0.12}",
                extra: ", ema: 0")
        ),
        (
            "mixup",
            text(
                "{name: mixup, alpha: 0.5, loss: {name: forward, transition: {estimate: anchors}}}",
                model: "{name: lenet5}", extra: ", augmentation: {flip: true}")
        ),
        ("early-learning", text("{name: early-learning}", extra: ", ema: 0")),
        (
            "co-teaching",
            text(
                "{name: co-teaching, forget-rate: {estimate: confident-joint, folds: 2}, ramp: 1, "
                    + "peers: [{}, {optimizer: {kind: adam}}]}"
            ).replacing("{learning-rate: 0.02}", with: "{learning-rate: 0.1}")
        ),
        ("jocor", text("{name: jocor, forget-rate: injected, ramp: 1}", extra: ", ema: 0")),
        (
            "sop",
            text(
                "{name: sop, start: 0.01, consistency: 0.9, balance: 0.1}",
                extra: ", ema: 0, augmentation: {padding: 1}")
        ),
        (
            "dividemix",
            text(
                "{name: dividemix, warm-up: 1, ramp: 1, loss-memory: 2}",
                model: "{name: mlp, hidden: [24], dropout: 0.2}", extra: ", ema: 0.9")
        ),
        (
            "early-learning-plus",
            text("{name: early-learning-plus, decay: 0.9, decay-steps: 4}", extra: ", ema: 0")
        ),
        ("ncod", text("{name: ncod, learning-rate-u: 5}", extra: ", ema: 0")),
        ("lccn", text("{name: lccn, warm-up: 1, refresh: 2, weights: last}", extra: ", ema: 0")),
        ("lend", text("{name: lend, warm-up: 1, neighbours: 5}", extra: ", ema: 0.9")),
        (
            "dlt",
            text(
                "{name: dlt, warm-up: 1, rate: injected, ramp: 1, beta: 0.5}",
                model: "{name: mlp, hidden: [24], dropout: 0.2}", extra: ", ema: 0"
            )
            .replacing("epochs: 2", with: "epochs: 3")
        ),
        (
            "pes",
            text(
                "{name: pes, warm-up: 1, block-epochs: 1, classifier-epochs: 1, "
                    + "refine-learning-rate: 0.01}",
                model: "{name: mlp, hidden: [24, 12], dropout: 0.2}", extra: ", ema: 0.9"
            )
            // Small batches: an epoch of the few confident samples has several steps.
            .replacing("epochs: 2, batch: 32", with: "epochs: 4, batch: 4")
        ),
        (
            "nmtune",
            text(
                "{name: nmtune, covariance: 0.001}", model: "{name: residual-mlp, hidden: [24]}",
                extra: ", ema: 0.9")
        ),
        dataFree,
        (
            "held-out",
            text(
                "{name: early-learning}", model: "{name: mlp, hidden: [24], dropout: 0.2}",
                extra: ", ema: 0.9"
            )
            .replacing("limit: 200", with: "limit: 200, held-out: {fold: 2, of: 3}")
        ),
    ]

    /// A stage that learns nothing is declined, and the one after it is not trained.
    static let declinedStage = (
        name: "declined-stage",
        text: text(
            "{name: self-distillation, stages: auto, max-stages: 2}", extra: ", ema: 0.9")
            + "\nlater: {learning-rate: 1e-9}"
    )

    /// Learnt constants, a pool with a cap, students in train mode during the search.
    static let dataFree = (
        name: "data-free",
        text: text(
            "{name: data-free, peers: 2, steps-per-epoch: 4, normalisation: learnt, "
                + "embeddings: {kind: random, dimension: 6}, "
                + "teacher: {model: {name: resnet8, width: 0.1}}, "
                + "synthesis: {batch: 12, steps: 2, warm-up: 1, warm-up-batches: 3, width: 2, latent-dim: 4, "
                + "max-images: 40, held-out-batches: 1, student-mode: train}}",
            model: "{name: resnet8, width: 0.1}",
            extra: ", ema: 0.9, augmentation: {padding: 1, flip: true}")
    )

    static let flags = ["--threads", "1", "--precision", "fp32", "--device", "cpu"]

    /// The file-system calls of a run never killed, in order: what a kill can be aimed at.
    static func calls(of text: String, folder: String) throws -> [String] {
        let files = FaultyFileSystem()
        var environment = TrainingEnvironment()
        environment.files = files
        let recipe = try RecipeFile(text: text, file: "tiny").decoded(Recipe.self)
        Engine.threads = 1
        let compute = ComputeOptions(threads: 1, device: .cpu, precision: .float32)
        _ = try Run(recipe, folder: folder, compute: compute, environment: environment).train()
        return files.calls
    }
}
