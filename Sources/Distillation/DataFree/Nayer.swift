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
    let frame: SynthesisFrame
    /// [C, d]
    private let embeddings: Buffer
    private(set) var generator: NoisyGenerator

    init(_ frame: SynthesisFrame, embeddings: Tensor) {
        self.frame = frame
        self.embeddings = Buffer(embeddings.to(.float32).to(frame.device))
        precondition(embeddings.shape[0] == frame.classes, "one embedding per class")
        generator = Nayer.make(frame, inputs: embeddings.shape[1], epoch: 0)
    }

    private static func make(_ frame: SynthesisFrame, inputs: Int, epoch: Int) -> NoisyGenerator {
        let options = frame.options
        let generator = NoisyGenerator(
            .init(frame: frame), inputs: inputs, samples: options.batch,
            blockSize: options.blocks == .perSample ? 1 : frame.classes,
            generator: Generator.seeded(frame, epoch: epoch))
        generator.move(to: frame.device)
        return generator
    }

    var own: [(name: String, tensor: Tensor)] {
        generator.state.map { ("generator.\($0.name)", $0.tensor) }
    }

    func begin(epoch: Int) {
        guard frame.options.startsAnew(epoch: epoch) else { return }
        generator = Nayer.make(frame, inputs: embeddings.tensor.shape[1], epoch: epoch)
    }

    func batch(_ place: SynthesisFrame.Place, stop: () -> Bool) throws -> SynthesisedBatch? {
        let noise = frame.generator(.noise, place)
        if frame.options.redraw != false { generator.noise.redraw(noise) }
        let labels = frame.wantedLabels(place)
        let index = Tensor(labels, [labels.count]).to(frame.device)
        let inputs = embeddings.tensor.indexed(0, by: index)  // [B, d]
        let optimizers = frame.optimizers(
            generator.parameters, learningRate: frame.options.learningRate)
        var search = ImageSearch(frame, place)
        for step in 0..<frame.options.steps {
            if stop() { return nil }
            let images = withPrecision(frame.precision, on: frame.device) {
                generator(inputs, mode: .train(noise))
            }
            try search.evaluate(images, step: step, wanted: labels).backward()
            optimizers.step()
        }
        return search.finish()
    }
}

extension ImageGenerator.Configuration {
    /// As the frame's options and images ask for it.
    init(frame: SynthesisFrame) {
        let options = frame.options
        let isLarge = frame.shape.dropFirst().max()! > 96
        self.init(
            shape: frame.shape, code: options.noise ?? 1000, width: options.width ?? 64,
            depth: options.depth ?? (isLarge ? .deep : .shallow))
    }
}

extension Generator {
    /// For the weights of a generator that begins at `epoch`.
    static func seeded(_ frame: SynthesisFrame, epoch: Int) -> Generator {
        frame.generator(.noise, .init(epoch: epoch, batch: -1))
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

extension SynthesisFrame {
    /// β₁ = 0.5, as all generators of this line of work have it.
    func adam(_ parameters: [(name: String, tensor: Tensor)], learningRate: Double) -> any Optimizer
    {
        OptimizerOptions(kind: .adam, learningRate: learningRate, beta1: 0.5).make(over: parameters)
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
