import Neural
import Torch

/// NAYER: Tran, Le, Le, Harandi, Tran, Phung, "NAYER: Noisy Layer Data Generation for Efficient and
/// Effective Data-free Knowledge Distillation", 2023, arXiv 2310.00258, §3 and Algorithm 1.
///
///     x = G(Z(E[y]))
///     L = α_bn L_BN + α_oh CE(T(A x), y) + α_adv L_adv(T(A x), S(A x))
///
/// E holds an embedding per class name; Z is the noisy layer, drawn anew for every batch; G an image
/// generator that lives for some epochs; A random crop and flip. Each batch is `steps` steps of a
/// fresh Adam (β 0.5, 0.999) over Z and G; the images with the lowest loss are kept. Losses:
/// `StatisticsMatching`, `adversarialLoss`. Enters: a teacher with batch norm, class embeddings.
///
/// The paper's text could not be had: this follows its released code. Deviations: the student stays
/// in eval mode (`StudentMode`), teacher and student are frozen; Documentation/data-free.md lists
/// every quirk of that code and what became of it.
final class Nayer: Synthesiser {
    let context: SynthesisContext
    /// [C, d]
    private let embeddings: Buffer
    private(set) var generator: NoisyGenerator

    init(_ context: SynthesisContext, embeddings: Tensor) {
        self.context = context
        self.embeddings = Buffer(embeddings.to(.float32).to(context.device))
        precondition(embeddings.shape[0] == context.classes, "one embedding per class")
        generator = Nayer.make(context, inputs: embeddings.shape[1], epoch: 0)
    }

    private static func make(_ context: SynthesisContext, inputs: Int, epoch: Int) -> NoisyGenerator
    {
        let options = context.options
        let generator = NoisyGenerator(
            .init(context: context), inputs: inputs, samples: options.batch,
            blockSize: options.blocks == .perSample ? 1 : context.classes,
            generator: Generator.seeded(context, epoch: epoch))
        generator.move(to: context.device)
        return generator
    }

    var own: [(name: String, tensor: Tensor)] {
        generator.state.map { ("generator.\($0.name)", $0.tensor) }
    }

    func begin(epoch: Int) {
        guard context.options.startsAnew(epoch: epoch) else { return }
        generator = Nayer.make(context, inputs: embeddings.tensor.shape[1], epoch: epoch)
    }

    func batch(_ place: SynthesisContext.Place, stop: () -> Bool) throws -> SynthesisedBatch? {
        let noise = context.generator(.noise, place)
        if context.options.resample != false { generator.noise.resample(noise) }
        let labels = context.targetLabels(place)
        let index = Tensor(labels, [labels.count]).to(context.device)
        let inputs = embeddings.tensor.indexed(0, by: index)  // [B, d]
        let optimizers = context.optimizers(
            generator.parameters, learningRate: context.options.learningRate)
        var search = ImageSearch(context, place)
        for step in 0..<context.options.steps {
            if stop() { return nil }
            let images = withPrecision(context.precision, on: context.device) {
                generator(inputs, mode: .train(noise))
            }
            try search.evaluate(images, step: step, targets: labels).backward()
            optimizers.step()
        }
        return search.finish()
    }
}

extension ImageGenerator.Configuration {
    /// As the context's options and images ask for it.
    init(context: SynthesisContext) {
        let options = context.options
        let isLarge = context.shape.dropFirst().max()! > 96
        self.init(
            shape: context.shape, code: options.latentDim ?? 1000, width: options.width ?? 64,
            depth: options.depth ?? (isLarge ? .deep : .shallow))
    }
}

extension Generator {
    /// For the weights of a generator that begins at `epoch`.
    static func seeded(_ context: SynthesisContext, epoch: Int) -> Generator {
        context.generator(.noise, .init(epoch: epoch, batch: -1))
    }
}

/// The fresh Adam of a batch, and another for learnt normalisation constants.
struct SearchOptimizers {
    let parts: [(optimizer: any Optimizer, learningRate: Double)]

    func step() {
        for (optimizer, learningRate) in parts {
            optimizer.step(learningRate: learningRate)
            optimizer.clearGradients()
        }
    }
}

extension SynthesisContext {
    /// β 0.5 and 0.999, as all generators of this line of work have them, or the options'.
    func adam(_ parameters: [(name: String, tensor: Tensor)], learningRate: Double) -> any Optimizer
    {
        let betas = options.adamBetas ?? [0.5, 0.999]
        return OptimizerOptions(
            kind: .adam, learningRate: learningRate, beta1: betas[0], beta2: betas[1]
        ).make(over: parameters)
    }

    func optimizers(
        _ parameters: [(name: String, tensor: Tensor)], learningRate: Double
    ) -> SearchOptimizers {
        var parts = [(adam(parameters, learningRate: learningRate), learningRate)]
        if normalisation.isLearnt {
            parts.append((adam(normalisation.parameters, learningRate: 0.01), 0.01))
        }
        return SearchOptimizers(parts: parts)
    }
}
