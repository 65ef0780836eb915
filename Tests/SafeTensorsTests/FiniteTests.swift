import Testing

@testable import SafeTensors

/// The first number of a tensor that cannot be a weight.
@Suite struct FiniteTests {
    @Test func everyElementType() throws {
        let cases: [(SafeTensorsFile.DType, good: [UInt8], bad: [[UInt8]])] = [
            (
                .f32, [0xFF, 0xFF, 0x7F, 0xFF],
                [[0, 0, 0x80, 0x7F], [0, 0, 0x80, 0xFF], [1, 0, 0x80, 0x7F]]
            ),
            (.f16, [0xFF, 0x7B], [[0, 0x7C], [0, 0xFC], [1, 0x7E]]),
            (.bf16, [0x7F, 0x7F], [[0x80, 0x7F], [0x80, 0xFF], [0xC0, 0x7F]]),
            (
                .f64, [0, 0, 0, 0, 0, 0, 0xF0, 0x3F],
                // Infinite, and 1e300, which is as float32.
                [[0, 0, 0, 0, 0, 0, 0xF0, 0x7F], [0x9C, 0x75, 0, 0x88, 0x3C, 0xE4, 0x37, 0x7E]]
            ),
        ]
        for (dtype, good, bad) in cases {
            for (i, number) in bad.enumerated() {
                var writer = SafeTensorsWriter()
                // One byte before: elements need not be aligned.
                writer.add("z", .u8, shape: [1], bytes: [7])
                writer.add("good", dtype, shape: [3], bytes: good + good + good)
                writer.add("bad", dtype, shape: [3], bytes: good + good + number)
                let file = try SafeTensorsFile(bytes: writer.encoded(), name: "w")
                #expect(try file.firstNotFinite(in: "good") == nil)
                #expect(try file.firstNotFinite(in: "bad") == 2, "\(dtype) \(i)")
                #expect(try file.firstNotFinite(in: "z") == nil)
            }
        }
    }
}
