import Testing
import Torch

@Suite(.serialized) struct SmokeTests {
    @Test func gradientsOfASquare() throws {
        let before = Engine.liveHandles
        do {
            let x = Tensor([1, 2, 3] as [Float], [3])
            x.requiresGrad = true
            let y = (x * x).sum()
            y.backward()
            #expect(x.gradient?.floats() == [2, 4, 6])
            #expect(throws: EngineError.self) {
                try Engine.checked { _ = (x + Tensor.zeros([4])).exp() }
            }
            let g = Tensor.gradients(of: (x * x * x).sum(), with: [x], createGraph: true)[0]
            #expect(Tensor.gradients(of: g.sum(), with: [x])[0].floats() == [6, 12, 18])
        }
        #expect(Engine.liveHandles == before)
    }
}
