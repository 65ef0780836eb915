/// Arithmetic on eight numbers at a time, which has to be written for each type of number: where the type is
/// generic, the standard library's comparisons go number by number, ten times as slow.
protocol LaneScalar: BinaryFloatingPoint, SIMDScalar, Codable {
    typealias Lanes = SIMD8<Self>

    static func larger(_ a: Lanes, _ b: Lanes) -> Lanes
    static func smaller(_ a: Lanes, _ b: Lanes) -> Lanes
    /// `counts` and 1 more where `a` is at least `b`.
    static func counted(_ counts: Lanes, _ a: Lanes, atLeast b: Lanes) -> Lanes
    static func sum(_ a: Lanes, _ b: Lanes) -> Lanes
}

extension Float: LaneScalar {
    @inline(__always)
    static func larger(_ a: SIMD8<Float>, _ b: SIMD8<Float>) -> SIMD8<Float> {
        a.replacing(with: b, where: b .> a)
    }

    @inline(__always)
    static func smaller(_ a: SIMD8<Float>, _ b: SIMD8<Float>) -> SIMD8<Float> {
        a.replacing(with: b, where: b .< a)
    }

    @inline(__always)
    static func counted(
        _ counts: SIMD8<Float>, _ a: SIMD8<Float>, atLeast b: SIMD8<Float>
    ) -> SIMD8<Float> {
        counts.replacing(with: counts + 1, where: a .>= b)
    }

    @inline(__always)
    static func sum(_ a: SIMD8<Float>, _ b: SIMD8<Float>) -> SIMD8<Float> { a + b }
}

extension Double: LaneScalar {
    @inline(__always)
    static func larger(_ a: SIMD8<Double>, _ b: SIMD8<Double>) -> SIMD8<Double> {
        a.replacing(with: b, where: b .> a)
    }

    @inline(__always)
    static func smaller(_ a: SIMD8<Double>, _ b: SIMD8<Double>) -> SIMD8<Double> {
        a.replacing(with: b, where: b .< a)
    }

    @inline(__always)
    static func counted(
        _ counts: SIMD8<Double>, _ a: SIMD8<Double>, atLeast b: SIMD8<Double>
    ) -> SIMD8<Double> {
        counts.replacing(with: counts + 1, where: a .>= b)
    }

    @inline(__always)
    static func sum(_ a: SIMD8<Double>, _ b: SIMD8<Double>) -> SIMD8<Double> { a + b }
}

extension UnsafePointer where Pointee: LaneScalar {
    /// Eight numbers from place `k` on.
    @inline(__always)
    func lanes(at k: Int) -> SIMD8<Pointee> {
        UnsafeRawPointer(self + k).loadUnaligned(as: SIMD8<Pointee>.self)
    }
}
