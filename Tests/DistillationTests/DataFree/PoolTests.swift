import Testing

@testable import Distillation

/// The pool of images, in memory and out of it.
@Suite struct ImagePoolTests {
    private struct Stored: StoredBytes {
        var bytes: [UInt8]
        func read(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
            bytes.withUnsafeBufferPointer(body)
        }
    }

    private func image(_ id: Int, _ row: Int) -> [UInt8] {
        (0..<4).map { UInt8(id * 16 + row * 4 + $0) }
    }

    private func fill(_ pool: inout ImagePool, _ ids: Range<Int>, count: Int = 3) -> [Int] {
        ids.flatMap { id -> [Int] in
            let bytes = (0..<count).flatMap { image(id, $0) }
            return pool.add(
                id: id, bytes: bytes, labels: (0..<count).map { id * 10 + $0 },
                stored: Stored(bytes: bytes))
        }
    }

    @Test func givesBackWhatWasPutIn() {
        // Four batches of 12 bytes each; room for two in memory.
        var pool = ImagePool(shape: [1, 2, 2], memory: 24)
        #expect(fill(&pool, 0..<4) == [])
        #expect(pool.count == 12 && pool.bytesInMemory == 24)
        #expect(pool.labels == [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32])
        let order = [11, 0, 4, 4, 8, 2]
        #expect(
            pool.bytes(of: order)
                == order.flatMap { image($0 / 3, $0 % 3) })
        #expect(pool.bytes(of: []) == [])
    }

    /// First in, first out, in whole batches, never below the cap.
    @Test func capDropsTheOldest() {
        var pool = ImagePool(shape: [1, 2, 2], cap: 7, memory: 24)
        #expect(fill(&pool, 0..<3) == [], "dropping one of nine would leave six")
        #expect(fill(&pool, 3..<4) == [0])
        #expect(pool.labels == [10, 11, 12, 20, 21, 22, 30, 31, 32])
        #expect(fill(&pool, 4..<6) == [1, 2])
        #expect(pool.parts.map(\.id) == [3, 4, 5])
        #expect(pool.bytes(of: [0, 8]) == image(3, 0) + image(5, 2))
        #expect(pool.bytesInMemory <= 24)
    }
}
