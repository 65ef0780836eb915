extension [UInt8] {
    /// Two bytes, or nil where there are none.
    func big16(at offset: Int) -> Int? {
        guard offset >= 0, offset <= count - 2 else { return nil }
        return Int(self[offset]) << 8 | Int(self[offset + 1])
    }

    func big32(at offset: Int) -> Int? {
        guard let high = big16(at: offset), let low = big16(at: offset + 2) else { return nil }
        return high << 16 | low
    }

    func little16(at offset: Int) -> Int? { big16(at: offset).map { $0 >> 8 | ($0 & 255) << 8 } }

    func little32(at offset: Int) -> Int? {
        guard let low = little16(at: offset), let high = little16(at: offset + 2) else {
            return nil
        }
        return high << 16 | low
    }
}
