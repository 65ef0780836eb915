import Torch

/// Nothing is searched: pixels are uniform in [0, 1]. The control that tells what images made out of
/// the teacher are worth: a student learns something from any input.
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
