import Torch

/// The control: pixels are uniform in [0, 1] and nothing is optimised. A student learns something from any
/// input; the difference to this baseline is what synthesis contributes.
final class NoiseImages: Synthesiser {
    let context: SynthesisContext

    init(_ context: SynthesisContext) { self.context = context }

    var own: [(name: String, tensor: Tensor)] { [] }

    func begin(epoch: Int) {}

    func batch(_ place: SynthesisContext.Place, stop: () -> Bool) throws -> SynthesisedBatch? {
        if stop() { return nil }
        let images = Tensor.empty([context.options.batch] + context.shape)
        images.fillUniform(0, 1, context.generator(.noise, place))
        var search = ImageSearch(context, place)
        return try withoutGradient {
            _ = try search.evaluate(
                images.to(context.device).channelsLast(), step: 0, targets: nil)
            return search.finish()
        }
    }
}
