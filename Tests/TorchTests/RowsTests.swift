import TestSupport
import Testing
import Torch

@Suite(.takesTurns) struct RowsTests {
    private static let dtypes: [DType] = [.float32, .float64, .int64]

    private func rows(_ list: Int...) -> Tensor { Tensor(list, [list.count]) }

    /// 0, 1 | 2, 3 | 4, 5 | 6, 7
    private func store(_ dtype: DType) -> Rows {
        Rows("store", Tensor.arange(8).reshaped([4, 2]).to(dtype))
    }

    @Test(arguments: dtypes) func readsRowsInTheirOrder(_ dtype: DType) throws {
        try withNoLeaks {
            let read = store(dtype).read(rows(2, 0, 2))
            #expect(read.shape == [3, 2] && read.dtype == dtype)
            #expect(read.ints() == [4, 5, 0, 1, 4, 5])
            let single = Rows("single", Tensor([7, 8, 9], [3]).to(dtype)).read(rows(2, 1))
            #expect(single.shape == [2] && single.ints() == [9, 8])
        }
    }

    @Test(arguments: dtypes) func writesRowsInAnyOrder(_ dtype: DType) throws {
        try withNoLeaks {
            let store = store(dtype)
            store.write(rows(3, 0), Tensor([10, 11, 20, 21], [2, 2]).to(dtype))
            #expect(store.all.ints() == [20, 21, 2, 3, 4, 5, 10, 11])
            let single = Rows("single", count: 3, value: 1, dtype: dtype)
            single.write(rows(2, 1, 0), Tensor([5, 6, 7], [3]).to(dtype))
            #expect(single.all.ints() == [7, 6, 5])
        }
    }

    /// 1 and 3 come together in row 1; row 3 gets −1.
    @Test(arguments: dtypes) func addsUpWhatComesForTheSameRow(_ dtype: DType) throws {
        try withNoLeaks {
            let store = store(dtype)
            store.add(rows(1, 3, 1), Tensor([1, 10, -1, 0, 3, 30], [3, 2]).to(dtype))
            #expect(store.all.ints() == [0, 1, 6, 43, 4, 5, 5, 7])
            let single = Rows("single", count: 2, dtype: dtype)
            single.add(rows(1, 1, 1), Tensor([1, 2, 4], [3]).to(dtype))
            #expect(single.all.ints() == [0, 7])
        }
    }

    /// Not-a-number and −0 included, and whatever stands in the other rows.
    @Test func everyBitArrives() throws {
        try withNoLeaks {
            let store = Rows("store", count: 3, value: .nan)
            let values = Tensor([-0.0, .infinity, 1e-45] as [Float], [3])
            store.write(rows(0, 2), values.narrowed(0, from: 0, count: 2))
            #expect(store.read(rows(0, 2)).bytes() == Array(values.bytes()[..<8]))
            #expect(store.all.floats()[1].isNaN)
            // Not a contiguous part of its tensor.
            let wide = Rows("wide", count: 2, width: 2)
            wide.write(rows(1, 0), Tensor.arange(4, dtype: .float32).reshaped([2, 2]).transposed())
            #expect(wide.all.floats() == [1, 3, 0, 2])
        }
    }

    @Test func noRowsAreNoChange() throws {
        try withNoLeaks {
            let store = store(.float32)
            let none = Tensor([] as [Int], [0])
            #expect(store.read(none).shape == [0, 2])
            store.write(none, .zeros([0, 2]))
            store.add(none, .zeros([0, 2]))
            #expect(store.all.ints() == Array(0..<8))
            #expect(Rows("empty", count: 0).read(none).shape == [0])
        }
    }

    @Test func theFirstValuesAreCopied() throws {
        try withNoLeaks {
            // Every row the same memory.
            let row = Tensor([1, 2] as [Float], [1, 2])
            let store = Rows("store", row.expanded([3, 2]))
            store.write(rows(1), .zeros([1, 2]))
            #expect(store.all.floats() == [1, 2, 0, 0, 1, 2] && row.floats() == [1, 2])
        }
    }

    @Test func gradientsEndHere() throws {
        try withNoLeaks {
            let learnt = Tensor([3, 4] as [Float], [2])
            learnt.requiresGrad = true
            let store = Rows("store", learnt)
            let first = store.read(rows(0))
            store.write(rows(1), learnt.narrowed(0, from: 0, count: 1) * 2)
            store.add(rows(1), learnt.narrowed(0, from: 1, count: 1))
            #expect(store.all.floats() == [3, 10] && first.floats() == [3])
            #expect(!store.all.requiresGrad && !store.read(rows(0, 1)).requiresGrad)
            // What was read before a write stays as it was in a loss that is differentiated after it.
            (learnt * store.read(rows(0, 1))).sum().backward()
            store.write(rows(0), .zeros([1]))
            #expect(learnt.gradient?.floats() == [3, 10])
        }
    }

    /// The tensor in a checkpoint is the live one: what is loaded into it is what is read.
    @Test func stateIsTheStore() throws {
        try withNoLeaks {
            let store = Rows("targets", count: 2, width: 1, dtype: .float64)
            #expect(store.name == "targets" && store.count == 2 && store.device == .cpu)
            let state = store.state
            #expect(state.map(\.name) == ["targets"] && state[0].tensor.shape == [2, 1])
            state[0].tensor.copy(from: Tensor([5, 6] as [Double], [2, 1]))
            #expect(store.read(rows(1)).doubles() == [6])
        }
    }

    @Test func refusesWhatDoesNotFitAndChangesNothing() throws {
        try withNoLeaks {
            let store = store(.float32)
            let two = Tensor.zeros([2, 2])
            func reason(_ body: () -> Void) -> String? {
                do {
                    try Engine.checked { body() }
                    return nil
                } catch {
                    return (error as? EngineError)?.reason
                }
            }
            #expect(reason { _ = store.read(rows(0, 4)) } == "row 4 of a store with 4")
            #expect(reason { store.write(rows(1, -1), two) } == "row -1 of a store with 4")
            #expect(reason { store.add(rows(9, 1), two) } == "row 9 of a store with 4")
            #expect(reason { store.write(rows(2, 2), two) } == "row 2 is written twice")
            #expect(
                reason { store.write(rows(1), two) } == "values Float[2, 2] for rows Float[1, 2]")
            #expect(
                reason { store.add(rows(0, 1), .zeros([2, 1])) }
                    == "values Float[2, 1] for rows Float[2, 2]")
            #expect(
                reason { store.write(rows(0, 1), .zeros([2])) }
                    == "values Float[2] for rows Float[2, 2]")
            #expect(
                reason { store.write(rows(0, 1), .zeros([2, 2], dtype: .float64)) }
                    == "values Double[2, 2] for rows Float[2, 2]")
            #expect(
                reason { _ = store.read(Tensor.zeros([2])) } == "rows are int64 [B], got Float[2]")
            #expect(
                reason { _ = store.read(Tensor([0], [1, 1])) }
                    == "rows are int64 [B], got Long[1, 1]")
            #expect(
                reason { _ = Rows("scalar", .scalar(1)).read(rows(0)) } == "a scalar has no rows")
            #expect(store.all.ints() == Array(0..<8))
        }
    }

    /// A result that failed upstream is not written.
    @Test func poisonIsNotWritten() throws {
        try withNoLeaks {
            let store = store(.float32)
            #expect(throws: EngineError.self) {
                try Engine.checked {
                    let bad = Tensor.ones([2]).reshaped([3])
                    store.write(rows(0), bad)
                    store.add(bad, bad)
                    #expect(store.read(bad).isPoisoned)
                }
            }
            #expect(store.all.ints() == Array(0..<8))
        }
    }
}
