import TestSupport
import Testing
import Torch

@Suite(.takesTurns) struct TensorTests {
    @Test func makesAndReadsEveryKind() throws {
        try withNoLeaks {
            #expect(Tensor([1.5, -2] as [Float], [2]).floats() == [1.5, -2])
            #expect(Tensor([1.5, -2] as [Double], [1, 2]).doubles() == [1.5, -2])
            #expect(Tensor([1 << 40, -3], [2]).ints() == [1 << 40, -3])
            let bytes: [UInt8] = [0x80, 0x3F, 0x00, 0xC0]
            let half = Tensor(bytes: bytes, [2], dtype: .bfloat16)
            #expect(half.floats() == [1, -2] && half.bytes() == bytes)
            #expect(Tensor.full([2, 2], 7, dtype: .int32).ints() == [7, 7, 7, 7])
            #expect(Tensor.zeros([3]).floats() == [0, 0, 0])
            #expect(Tensor.ones([2], dtype: .bool).ints() == [1, 1])
            #expect(Tensor.empty([4, 0, 2]).shape == [4, 0, 2])
            #expect(Tensor.empty([4, 0, 2]).floats() == [])
            #expect(Tensor.scalar(2.5).shape == [] && Tensor.scalar(2.5).item == 2.5)
            #expect(Tensor.arange(4).ints() == [0, 1, 2, 3])
            #expect(Tensor.arange(3, dtype: .float32).dtype == .float32)
            for dtype in DType.allCases {
                let x = Tensor.ones([3], dtype: dtype)
                #expect(x.dtype == dtype && x.doubles() == [1, 1, 1])
                #expect(x.bytes().count == 3 * dtype.byteCount)
            }
        }
    }

    @Test func describesItself() throws {
        try withNoLeaks {
            let x = Tensor.zeros([2, 3, 5])
            #expect(x.shape == [2, 3, 5] && x.rank == 3 && x.count == 30)
            #expect(x.dtype == .float32 && x.device == .cpu && x.isContiguous)
            #expect(!x.transposed().isContiguous)
        }
    }

    @Test func convertsAndCopies() throws {
        try withNoLeaks {
            let x = Tensor([1.75, -1.75] as [Float], [2])
            #expect(x.to(.int64).ints() == [1, -1], "towards 0")
            #expect(x.to(.bfloat16).to(.float32).floats() == [1.75, -1.75])
            #expect(x.to(Device.cpu).floats() == x.floats())
            let copy = x.cloned()
            copy.fill(0)
            #expect(x.floats() == [1.75, -1.75] && copy.floats() == [0, 0])
            let zeros = x.zerosLike()
            #expect(zeros.floats() == [0, 0] && x.floats() == [1.75, -1.75])
            x.move(to: .cpu)
            #expect(x.floats() == [1.75, -1.75])
        }
    }

    @Test func layoutChangesMemoryNotValues() throws {
        try withNoLeaks {
            let values = (0..<24).map(Float.init)
            let x = Tensor(values, [2, 3, 2, 2])
            let last = x.channelsLast()
            #expect(last.isChannelsLast && !last.isContiguous && last.floats() == values)
            #expect(last.contiguous().isContiguous && last.contiguous().floats() == values)
            #expect(last.zerosLike().isChannelsLast)
            x.requiresGrad = true
            x.layOutChannelsLast()
            #expect(x.isChannelsLast && x.requiresGrad && x.floats() == values)
            (x * x).sum().backward()
            #expect(x.gradient?.floats() == values.map { 2 * $0 })
        }
    }

    @Test func changesInPlaceWithoutRecording() throws {
        try withNoLeaks {
            let x = Tensor([1, 2] as [Float], [2])
            x.requiresGrad = true
            x.addInPlace(Tensor([10, 20] as [Float], [2]), alpha: 0.5)
            #expect(x.floats() == [6, 12])
            x.multiplyInPlace(2)
            #expect(x.floats() == [12, 24])
            x.copy(from: Tensor([3, 4] as [Double], [2]))
            #expect(x.floats() == [3, 4] && x.dtype == .float32)
            (x * x).sum().backward()
            #expect(x.gradient?.floats() == [6, 8])
            x.zero()
            x.fill(9)
            #expect(x.floats() == [9, 9])
            #expect(throws: EngineError.self, "no silent broadcast") {
                try Engine.checked { x.copy(from: Tensor.ones([1])) }
            }
        }
    }

    @Test func shapesWithoutValues() throws {
        try withNoLeaks {
            let huge = Tensor.shapeOnly([1 << 20, 1 << 20])
            #expect(huge.shape == [1 << 20, 1 << 20])
            #expect(Tensor.shapeOnly([2, 2]).floats() == [0, 0, 0, 0])
        }
    }

    /// [[4, 2], [2, 3]] x = [[8, 2], [8, 5]] by hand; a matrix that is not positive definite is refused.
    @Test func choleskySolve() throws {
        try withNoLeaks {
            let a = Tensor([4, 2, 2, 3] as [Double], [2, 2])
            let x = a.choleskySolve(Tensor([8, 2, 8, 5] as [Double], [2, 2]))
            #expect(largestError(x.doubles(), [1, -0.5, 2, 2]).error < 1e-14)
            #expect(throws: EngineError.self) {
                try Engine.checked {
                    Tensor([1, 2, 2, 1] as [Double], [2, 2]).choleskySolve(
                        Tensor.ones([2, 1], dtype: .float64))
                }
            }
        }
    }

    /// [[3, 0], [0, 0], [0, −4]]: 4 and 3; the gradient of the larger one is u vᵀ, of their sum U Vᵀ.
    @Test func singularValues() throws {
        try withNoLeaks {
            let a = Tensor([3, 0, 0, 0, 0, -4] as [Double], [3, 2])
            a.requiresGrad = true
            let values = a.singularValues()
            #expect(largestError(values.doubles(), [4, 3]).error < 1e-14)
            let largest = Tensor.gradients(
                of: values.selected(0, 0), with: [a], retainGraph: true)[0]
            #expect(largestError(largest.doubles(), [0, 0, 0, 0, 0, -1]).error < 1e-14)
            let sum = Tensor.gradients(of: values.sum(), with: [a])[0]
            #expect(largestError(sum.doubles(), [1, 0, 0, 0, 0, -1]).error < 1e-14)
        }
    }
}
