import Neural
import Torch

/// Direct optimisation of pixels: Yin et al., "Dreaming to Distill: Data-free Knowledge Transfer via
/// DeepInversion", 2020, arXiv 1912.08795.
///
///     u ~ N(0, 1);  x = μ + σ u
///     L = α CE(T(A x), y) + α_bn L_BN + α_tv TV(u) + α_l2 ‖u‖₂ + α_c (1 − JS(T ‖ S))
///
/// u are the normalised pixels of a batch, optimised by a fresh Adam; the last term is the adaptive
/// variant's, at temperature 3. A baseline here, from memory of its code: the shift of A
/// has a black border here instead of wrapping around, and images go to a pool.
final class DeepInversion: Synthesiser {
    let context: SynthesisContext

    init(_ context: SynthesisContext) { self.context = context }

    /// Pixels do not outlive their batch.
    var own: [(name: String, tensor: Tensor)] { [] }

    func begin(epoch: Int) {}

    func batch(_ place: SynthesisContext.Place, stop: () -> Bool) throws -> SynthesisedBatch? {
        let options = context.options
        let start = Tensor.empty([options.batch] + context.shape)
        start.fillNormal(context.generator(.noise, place))
        let pixels = Parameter(start.to(context.device).channelsLast()).tensor
        let labels = context.targetLabels(place)
        let optimizers = context.optimizers(
            [("pixels", pixels)], learningRate: options.learningRate)
        var search = ImageSearch(context, place)
        let constants = context.normalisation
        for step in 0..<options.steps {
            if stop() { return nil }
            let images = pixels * constants.std.tensor + constants.mean.tensor
            let loss = try search.evaluate(images, step: step, targets: labels) { outputs in
                var terms: [SearchTerm] = []
                if let weight = options.tvWeight, weight > 0 {
                    terms.append(
                        SearchTerm("variation", weight, totalVariation(outputs.normalised)))
                }
                if let weight = options.l2Weight, weight > 0 {
                    terms.append(SearchTerm("norm", weight, outputs.normalised.norm()))
                }
                if let weight = options.competitionWeight, weight > 0, !outputs.students.isEmpty {
                    let each = outputs.students.map {
                        competitionLoss(teacher: outputs.teacher, student: $0)
                    }
                    terms.append(SearchTerm("competition", weight, context.mean(each)))
                }
                return terms
            }
            loss.backward()
            optimizers.step()
        }
        return search.finish()
    }
}
