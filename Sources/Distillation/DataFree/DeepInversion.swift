import Neural
import Torch

/// Direct optimisation of pixels: Yin et al., "Dreaming to Distill: Data-free Knowledge Transfer via
/// DeepInversion", 2020, arXiv 1912.08795.
///
///     u ~ N(0, 1);  x = μ + σ u
///     L = α CE(T(A x), y) + α_bn L_BN + α_tv TV(u) + α_l2 ‖u‖₂ + α_c (1 − JS(T ‖ S)) + α_s L_BN(S)
///     after every step: u ← min(max(u, (0 − μ)/σ), (1 − μ)/σ)
///
/// u are the normalised pixels of a batch, optimised by a fresh Adam; without the projection the search
/// would leave what bytes can hold, and the stored images would be others than those that matched. The
/// last two terms are the adaptive variant's: the competition at temperature 3, and the statistics of
/// the student's own batch norms, with a small negative weight. A rolls the batch and mirrors it. A
/// baseline here; the start is projected, too, and images go to a pool.
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
        project(pixels)
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
                let readings = outputs.studentReadings.filter { !$0.isEmpty }
                if let weight = options.studentBNWeight, !readings.isEmpty {
                    let each = readings.map(StatisticsMatching.loss)
                    terms.append(SearchTerm("student-statistics", weight, context.mean(each)))
                }
                return terms
            }
            loss.backward()
            optimizers.step()
            project(pixels)
        }
        return search.finish()
    }

    /// Cuts normalised pixels [B, C, H, W] to what images in [0, 1] can be.
    private func project(_ pixels: Tensor) {
        withoutGradient {
            let (mean, std) = (context.normalisation.mean.tensor, context.normalisation.std.tensor)
            pixels.copy(from: pixels.maximum(-mean / std).minimum((1 - mean) / std))
        }
    }
}
