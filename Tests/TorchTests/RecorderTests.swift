import TestSupport
import Testing
import Torch

@Suite(.takesTurns) struct RecorderTests {
    @Test func operatorsTellWhatTheyDid() throws {
        try withNoLeaks {
            let recorder = OperatorRecorder()
            let x = Tensor([Float](repeating: 1, count: 32), [1, 2, 4, 4])
            let weight = Tensor([Float](repeating: 0.5, count: 18), [1, 2, 3, 3])
            let y = recorder.record {
                (conv2d(x, weight, stride: 2, padding: 1).relu() * 3 + 1).flattened(from: 1)
            }
            // Outside nothing is recorded.
            _ = x + x
            #expect(
                recorder.operators.map(\.name) == ["convolution", "relu", "*", "+", "flattened"])
            #expect(recorder.operators[0].inputs.count == 2)
            #expect(recorder.operators[0].inputs[1] === weight)
            #expect(recorder.operators[0].attributes["stride"] == .ints([2, 2]))
            #expect(recorder.operators[0].attributes["groups"] == .int(1))
            #expect(recorder.operators[2].attributes["other"] == .number(3))
            #expect(recorder.operators.last?.output === y)
        }
    }

    @Test func severalCanBeOne() throws {
        try withNoLeaks {
            let recorder = OperatorRecorder()
            let x = Tensor([1 as Float, 2], [2])
            recorder.record {
                _ = OperatorRecorder.asOne("twice", [x], ["by": .int(2)]) { (x + x).relu() }
                _ = x.floats()
                x.fill(0)
            }
            #expect(recorder.operators.map(\.name) == ["twice", "read", "fill"])
            #expect(recorder.operators[1].output == nil && recorder.operators[2].output == nil)
        }
    }
}
