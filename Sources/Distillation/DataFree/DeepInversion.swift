import Neural
import Torch

/// Direct optimisation of pixels: Yin et al., "Dreaming to Distill: Data-free Knowledge Transfer via
/// DeepInversion", 2020, arXiv 1912.08795.
///
///     u ~ N(0, 1);  x = μ + σ u
///     L = α CE(T(A x), y) + α_bn L_BN + α_tv TV(u) + α_l2 ‖u‖₂ + α_c (1 − JS(T ‖ S))
///
/// u are the normalised pixels of a batch, optimised by a fresh Adam; the last term is the adaptive
/// variant's, at temperature 3. A baseline in this frame, from memory of its code: the shift of A
/// has a black frame here instead of wrapping around, and images go to a pool.
final class DeepInversion: Synthesiser {
    let frame: SynthesisFrame

    init(_ frame: SynthesisFrame) { self.frame = frame }

    /// Pixels do not outlive their batch.
    var own: [(name: String, tensor: Tensor)] { [] }

    func begin(epoch: Int) {}

    func batch(_ place: SynthesisFrame.Place, stop: () -> Bool) throws -> SynthesisedBatch? {
        let options = frame.options
        let start = Tensor.empty([options.batch] + frame.shape)
        start.fillNormal(frame.generator(.noise, place))
        let pixels = Parameter(start.to(frame.device).channelsLast()).tensor
        let labels = frame.wantedLabels(place)
        let optimizers = frame.optimizers([("pixels", pixels)], learningRate: options.learningRate)
        var search = ImageSearch(frame, place)
        let constants = frame.normalisation
        for step in 0..<options.steps {
            if stop() { return nil }
            let images = pixels * constants.std.tensor + constants.mean.tensor
            let loss = try search.evaluate(images, step: step, wanted: labels) { look in
                var terms: [SearchTerm] = []
                if let weight = options.variation, weight > 0 {
                    terms.append(SearchTerm("variation", weight, totalVariation(look.normalised)))
                }
                if let weight = options.norm, weight > 0 {
                    terms.append(SearchTerm("norm", weight, look.normalised.norm()))
                }
                if let weight = options.competition, weight > 0, !look.students.isEmpty {
                    let each = look.students.map {
                        competitionLoss(teacher: look.teacher, student: $0)
                    }
                    terms.append(SearchTerm("competition", weight, frame.mean(each)))
                }
                return terms
            }
            loss.backward()
            optimizers.step()
        }
        return search.finish()
    }
}
