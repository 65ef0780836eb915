import Torch

/// Nothing is searched: pixels are uniform in [0, 1]. The control that tells what images made out of
/// the teacher are worth: a student learns something from any input.
final class NoiseImages: Synthesiser {
    let frame: SynthesisFrame

    init(_ frame: SynthesisFrame) { self.frame = frame }

    var own: [(name: String, tensor: Tensor)] { [] }

    func begin(epoch: Int) {}

    func batch(_ place: SynthesisFrame.Place, stop: () -> Bool) throws -> SynthesisedBatch? {
        if stop() { return nil }
        let images = Tensor.empty([frame.options.batch] + frame.shape)
        images.fillUniform(0, 1, frame.generator(.noise, place))
        var search = ImageSearch(frame, place)
        return try withoutGradient {
            _ = try search.evaluate(
                images.to(frame.device).channelsLast(), step: 0, wanted: nil)
            return search.finish()
        }
    }
}
