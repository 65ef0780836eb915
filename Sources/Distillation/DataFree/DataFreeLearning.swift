import Neural
import Torch

/// DAFL: Chen et al., "Data-Free Learning of Student Networks", 2019, arXiv 1904.01186.
///
///     z ~ N(0, I), new at every step;  x = G(z);  y = argmax T(A x)
///     L = α_oh CE(T(A x), y) + α_a L_a + α_ie L_ie
///
/// L_a and L_ie: `activationLoss`, `informationEntropyLoss`. One generator and one Adam last for the
/// whole run; a batch's labels are what the teacher says of it. A baseline in this frame, from
/// memory of its code: there the student learns from each step's images at once, here the last
/// step's images go to a pool; its logarithm is to base 10, here it is natural, as in the paper.
final class DataFreeLearning: Synthesiser {
    let frame: SynthesisFrame
    private let generator: ImageGenerator
    private let optimizers: SearchOptimizers

    init(_ frame: SynthesisFrame) {
        self.frame = frame
        generator = ImageGenerator(
            .init(frame: frame), generator: Generator.seeded(frame, epoch: 0))
        generator.move(to: frame.device)
        optimizers = frame.optimizers(
            generator.parameters, learningRate: frame.options.learningRate)
    }

    var own: [(name: String, tensor: Tensor)] {
        generator.state.map { ("generator.\($0.name)", $0.tensor) }
            + optimizers.parts.enumerated().flatMap { i, part in
                part.optimizer.state.map { ("optimizer-\(i).\($0.name)", $0.tensor) }
            }
    }

    func begin(epoch: Int) {}

    func batch(_ place: SynthesisFrame.Place, stop: () -> Bool) throws -> SynthesisedBatch? {
        let options = frame.options
        var search = ImageSearch(frame, place)
        search.keepsLast = true
        for step in 0..<options.steps {
            if stop() { return nil }
            let noise = frame.generator(.noise, place, step: step)
            let code = Tensor.empty([options.batch, options.noise ?? 1000], device: frame.device)
            code.fillNormal(noise)
            let images = withPrecision(frame.precision, on: frame.device) {
                generator(code, mode: .train(noise))
            }
            let loss = try search.evaluate(images, step: step, wanted: nil) { look in
                [
                    SearchTerm(
                        "activation", options.activation ?? 0, activationLoss(look.features)),
                    SearchTerm(
                        "entropy", options.entropy ?? 0, informationEntropyLoss(look.teacher)),
                ]
            }
            loss.backward()
            optimizers.step()
        }
        return search.finish()
    }
}
