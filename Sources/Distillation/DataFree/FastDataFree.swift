import Neural
import Torch

/// Fast-DFKD: Fang et al., "Up to 100× Faster Data-free Knowledge Distillation", 2022, arXiv 2112.15278.
///
///     z ~ N(0, I), optimised;  G' = copy of G, adapted in k steps;  x = G'(z)
///     L as NAYER's
///     FOMAML:   G's gradient is Σ_steps ∂L/∂G'
///     Reptile:  G's gradient is 67 (G − G')
///
/// G then takes one step of an Adam of its own at learning rate k · η, which lasts for the whole run. Labels
/// are drawn. At one epoch of the student G's first linear layer and batch norm start anew. From its
/// public description; the images with the lowest loss are kept.
final class FastDataFree: Synthesiser {
    let context: SynthesisContext
    /// G
    private let generator: ImageGenerator
    private let meta: any Optimizer

    /// What Reptile's difference is scaled by.
    static let reptileScale = 67.0

    init(_ context: SynthesisContext) {
        self.context = context
        generator = ImageGenerator(
            .init(context: context), generator: Generator.seeded(context, epoch: 0))
        generator.move(to: context.device)
        meta = context.adam(generator.parameters, learningRate: context.options.learningRate)
    }

    var own: [(name: String, tensor: Tensor)] {
        generator.state.map { ("generator.\($0.name)", $0.tensor) }
            + meta.state.map { ("meta.\($0.name)", $0.tensor) }
    }

    func begin(epoch: Int) {
        guard let reset = context.options.resetEpoch, reset > 0,
            epoch == context.options.warmUp + reset
        else { return }
        generator.resampleStem(Generator.seeded(context, epoch: epoch))
    }

    func batch(_ place: SynthesisContext.Place, stop: () -> Bool) throws -> SynthesisedBatch? {
        let options = context.options
        let noise = context.generator(.noise, place)
        let start = Tensor.empty([options.batch, options.latentDim ?? 256])
        start.fillNormal(noise)
        let code = Parameter(start.to(context.device)).tensor
        var draw = context.draw(.labels, place)
        let labels = (0..<options.batch).map { _ in draw.below(context.classes) }.sorted()
        let fast = ImageGenerator(generator.configuration, generator: Generator(seed: 0))
        fast.copyState(from: generator)
        fast.move(to: context.device)
        let inner = context.optimizers(fast.parameters, learningRate: options.learningRate)
        let searcher = context.adam(
            [("code", code)], learningRate: options.noiseLearningRate ?? 0.015)
        let pairs = Array(
            zip(generator.parameters.map(\.tensor), fast.parameters.map(\.tensor)))
        var sums = [Tensor?](repeating: nil, count: pairs.count)
        var search = ImageSearch(context, place)
        for step in 0..<options.steps {
            if stop() { return nil }
            let images = withPrecision(context.precision, on: context.device) {
                fast(code, mode: .train(noise))
            }
            try search.evaluate(images, step: step, targets: labels).backward()
            if options.update != .reptile {
                for (i, pair) in pairs.enumerated() {
                    guard let gradient = pair.1.gradient else { continue }
                    if let sum = sums[i] {
                        sum.addInPlace(gradient)
                    } else {
                        sums[i] = gradient.cloned()
                    }
                }
            }
            inner.step()
            searcher.step(learningRate: options.noiseLearningRate ?? 0.015)
            searcher.clearGradients()
        }
        let gradients = withoutGradient {
            pairs.indices.map { i in
                options.update == .reptile
                    ? (pairs[i].0 - pairs[i].1) * FastDataFree.reptileScale
                    : sums[i] ?? pairs[i].0.zerosLike()
            }
        }
        meta.update(
            Array(pairs.indices), gradients: gradients,
            learningRate: options.learningRate * Double(options.steps), weightDecay: 0)
        // Running statistics of G: those of its adapted copy.
        for (own, adapted) in zip(generator.buffers, fast.buffers) {
            own.tensor.copy(from: adapted.tensor)
        }
        return search.finish()
    }
}
