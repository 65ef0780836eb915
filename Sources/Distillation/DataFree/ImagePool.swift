/// The synthetic images of a run, as bytes: the student draws its batches from all of them.
///
/// Images are added in batches and, where there is a cap, removed in batches, oldest first. Beyond a bound
/// the newest batches are not held in memory but read from where their bytes are kept.
public struct ImagePool: Sendable {
    /// One batch.
    public struct Part: Sendable {
        /// Number in the run, from 0.
        public let id: Int
        public let labels: [Int]
        let bytes: Bytes
    }

    enum Bytes: Sendable {
        case memory([UInt8])
        case elsewhere(any StoredBytes)
    }

    /// [channels, height, width]
    public let shape: [Int]
    /// Images to keep, at least; nil: all.
    public let cap: Int?
    /// Bytes that may be held in memory.
    public let memory: Int
    public private(set) var parts: [Part] = []
    /// Target labels, in the order of the images.
    public private(set) var labels: [Int] = []
    /// First image of each part.
    private var starts: [Int] = []
    private var held = 0

    public init(shape: [Int], cap: Int? = nil, memory: Int = 1 << 30) {
        self.shape = shape
        self.cap = cap
        self.memory = memory
    }

    public var count: Int { labels.count }
    public var imageSize: Int { shape.reduce(1, *) }
    /// Bytes in memory.
    public var bytesInMemory: Int { held }

    /// Adds a batch and drops the oldest that the cap has no room for.
    ///
    /// - Parameters:
    ///   - bytes: row-major [B, C, H, W].
    ///   - stored: the same bytes where they are kept outside memory; nil: nowhere.
    /// - Returns: ids of the batches that were removed.
    @discardableResult
    public mutating func add(
        id: Int, bytes: [UInt8], labels new: [Int], stored: (any StoredBytes)? = nil
    ) -> [Int] {
        precondition(bytes.count == new.count * imageSize, "bytes of as many images as labels")
        precondition(parts.last.map { $0.id < id } ?? true, "batches are numbered upwards")
        if let stored, held + bytes.count > memory {
            parts.append(Part(id: id, labels: new, bytes: .elsewhere(stored)))
        } else {
            held += bytes.count
            parts.append(Part(id: id, labels: new, bytes: .memory(bytes)))
        }
        var gone: [Int] = []
        var left = count + new.count
        while let cap, let oldest = parts.first, left - oldest.labels.count >= cap {
            left -= oldest.labels.count
            if case .memory(let bytes) = oldest.bytes { held -= bytes.count }
            gone.append(oldest.id)
            parts.removeFirst()
        }
        labels.append(contentsOf: new)
        labels.removeFirst(count - left)
        starts = []
        var start = 0
        for part in parts {
            starts.append(start)
            start += part.labels.count
        }
        return gone
    }

    /// Bytes of the images at `indices`, in that order: row-major [N, C, H, W].
    public func bytes(of indices: [Int]) -> [UInt8] {
        let size = imageSize
        return [UInt8](unsafeUninitializedCapacity: indices.count * size) { buffer, filled in
            filled = indices.count * size
            // Part by part, so that each is opened once.
            let places = indices.enumerated().map { ($0, part(of: $1), $1) }
                .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
            var i = 0
            while i < places.count {
                let number = places[i].1
                var end = i
                while end < places.count, places[end].1 == number { end += 1 }
                let rows = places[i..<end]
                read(parts[number]) { bytes in
                    for (row, _, index) in rows {
                        let from = (index - starts[number]) * size
                        (buffer.baseAddress! + row * size).update(
                            from: bytes.baseAddress! + from, count: size)
                    }
                }
                i = end
            }
        }
    }

    /// Bytes of a part, wherever they are.
    public func read(_ part: Part, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        switch part.bytes {
        case .memory(let bytes): bytes.withUnsafeBufferPointer(body)
        case .elsewhere(let stored): stored.read(body)
        }
    }

    /// The part that holds an image: the last that starts at or before it.
    private func part(of index: Int) -> Int {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= index { low = middle } else { high = middle }
        }
        return low
    }
}

/// Bytes that are not in memory.
public protocol StoredBytes: Sendable {
    /// Calls `body` with all of them.
    func read(_ body: (UnsafeBufferPointer<UInt8>) -> Void)
}
