import Neural
import Torch

/// DAFL: Chen et al., "Data-Free Learning of Student Networks", 2019, arXiv 1904.01186.
///
///     z ~ N(0, I), new at every step;  x = G(z);  y = argmax T(A x)
///     L = α_oh CE(T(A x), y) + α_a L_a + α_ie L_ie
///
/// L_a and L_ie: `activationLoss`, `informationEntropyLoss`. One generator and one Adam last for the
/// whole run; a batch's labels are the teacher's predictions. A baseline here, from
/// memory of its code: there the student learns from each step's images at once, here the last
/// step's images go to a pool; its logarithm is to base 10, here it is natural, as in the paper.
final class DataFreeLearning: Synthesiser {
    let context: SynthesisContext
    private let generator: ImageGenerator
    private let optimizers: SearchOptimizers

    init(_ context: SynthesisContext) {
        self.context = context
        generator = ImageGenerator(
            .init(context: context), generator: Generator.seeded(context, epoch: 0))
        generator.move(to: context.device)
        optimizers = context.optimizers(
            generator.parameters, learningRate: context.options.learningRate)
    }

    var own: [(name: String, tensor: Tensor)] {
        generator.state.map { ("generator.\($0.name)", $0.tensor) }
            + optimizers.parts.enumerated().flatMap { i, part in
                part.optimizer.state.map { ("optimizer-\(i).\($0.name)", $0.tensor) }
            }
    }

    func begin(epoch: Int) {}

    func batch(_ place: SynthesisContext.Place, stop: () -> Bool) throws -> SynthesisedBatch? {
        let options = context.options
        var search = ImageSearch(context, place)
        search.keepsLast = true
        for step in 0..<options.steps {
            if stop() { return nil }
            let noise = context.generator(.noise, place, step: step)
            let code = Tensor.empty(
                [options.batch, options.latentDim ?? 1000], device: context.device)
            code.fillNormal(noise)
            let images = withPrecision(context.precision, on: context.device) {
                generator(code, mode: .train(noise))
            }
            let loss = try search.evaluate(images, step: step, targets: nil) { outputs in
                [
                    SearchTerm(
                        "activation", options.activationWeight ?? 0,
                        activationLoss(outputs.features)),
                    SearchTerm(
                        "entropy", options.entropyWeight ?? 0,
                        informationEntropyLoss(outputs.teacher)),
                ]
            }
            loss.backward()
            optimizers.step()
        }
        return search.finish()
    }
}
