extension Array {
    /// A uniform permutation (Fisher–Yates). Written out, because the standard library does not
    /// promise that its own shuffle stays the same from one release to the next.
    public mutating func permute(_ draw: inout Draw) {
        withUnsafeMutableBufferPointer { items in
            for i in stride(from: items.count - 1, to: 0, by: -1) {
                items.swapAt(i, draw.below(i + 1))
            }
        }
    }
}
