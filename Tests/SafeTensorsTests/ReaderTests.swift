import Diagnostics
import Foundation
import Testing

@testable import SafeTensors

let referencePath = Bundle.module.path(
    forResource: "reference", ofType: "safetensors", inDirectory: "Fixtures")!

/// A file written by the reference implementation; its values stand in Fixtures/make.py.
struct ReaderTests {
    let file = try! SafeTensorsFile(path: referencePath)

    @Test func metadataIsDecoded() {
        #expect(file.metadata == ["format": "line\n\ttab \"quoted\" é\u{7F}"])
    }

    @Test func tensorsStandInTheOrderOfTheirBytes() {
        #expect(
            file.tensors.map(\.name) == [
                "u64", "i64", "scalar", "empty", "layer1.0.weight", "u32", "i32", "bf16", "f16",
                "u16", "i16", "i8", "größe \"\\\n\u{1}/😀", "u8", "flags",
            ])
        #expect(file["layer1.0.weight"]?.shape == [2, 3])
        #expect(file["scalar"]?.shape == [])
        #expect(file["scalar"]?.count == 1)
        #expect(file["empty"]?.shape == [0, 4])
        #expect(file["empty"]?.count == 0)
        #expect(file["flags"]?.range.upperBound == 1098)
        #expect(file["nothing"] == nil)
    }

    @Test func floatsAreExact() throws {
        let values = try file.floats(of: "layer1.0.weight")
        #expect(values.dropLast() == [1.5, -2, 0.1, 3e38, 0x1p-149])
        #expect(values[5].isNaN)
        #expect(
            try file.floats(of: "f16") == [1.5, -65504, 0x1p-24, -0.0, .infinity, 0.333251953125])
        #expect(try file.floats(of: "f16")[3].sign == .minus)
        #expect(try file.floats(of: "bf16") == [1, -3.140625, 0x1p127, -.infinity])
        #expect(try file.floats(of: "empty") == [])
        #expect(try file.doubles(of: "scalar") == [0.1])
        #expect(try file.doubles(of: "layer1.0.weight")[2] == Double(Float(0.1)))
    }

    /// Against the definition: (−1)ˢ · 2^(e − 15) · (1 + f/1024), and f · 2⁻²⁴ for e = 0.
    @Test func everyHalfIsConverted() throws {
        var writer = SafeTensorsWriter()
        let all = (0...UInt16.max).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        writer.add("h", .f16, shape: [65536], bytes: all)
        let file = try SafeTensorsFile(bytes: writer.encoded(), name: "h")
        let wrong = try file.floats(of: "h").enumerated().filter { bits, value in
            let exponent = bits >> 10 & 31
            let fraction = Double(bits & 1023)
            guard (value.sign == .minus) == (bits >= 0x8000) else { return true }
            if exponent == 31 { return fraction == 0 ? !value.isInfinite : !value.isNaN }
            let size =
                exponent == 0
                ? fraction * pow(2, -24) : (1 + fraction / 1024) * pow(2, Double(exponent - 15))
            return Double(value.magnitude) != size
        }
        #expect(wrong.isEmpty)
    }

    @Test func integersAreExact() throws {
        #expect(try file.ints(of: "u8") == [0, 127, 255])
        #expect(try file.ints(of: "i8") == [-128, -1, 127])
        #expect(try file.ints(of: "i16") == [-32768, 1, 2, 32767])
        #expect(try file.ints(of: "u16") == [0, 65535])
        #expect(try file.ints(of: "i32") == [-2_147_483_648, 2_147_483_647])
        #expect(try file.ints(of: "u32") == [0, 4_294_967_295])
        #expect(try file.ints(of: "i64") == [.min, .max])
        #expect(try file.ints(of: "u64") == [0, .max])
        #expect(try file.ints(of: "größe \"\\\n\u{1}/😀") == [7])
        #expect(try file.bools(of: "flags") == [true, false, true])
        #expect(try file.bytes(of: "i16") == [0, 0x80, 1, 0, 2, 0, 0xFF, 0x7F])
    }

    /// A header without padding puts the data at an odd byte.
    @Test func valuesNeedNoAlignment() throws {
        let header =
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
            + #""b":{"dtype":"F64","shape":[1],"data_offsets":[1,9]}}"#
        let file = try SafeTensorsFile(
            bytes: framed(header, data: [9, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F]),
            name: "x")
        #expect(try file.doubles(of: "b") == [1.5])
    }

    @Test func whatTheFormatAllowsIsAccepted() {
        #expect(refusal(framed("{}")) == nil)
        #expect(refusal(framed("{}      ")) == nil)
        #expect(refusal(framed("{ \"__metadata__\" :\t{ } }")) == nil)
        #expect(
            refusal(
                framed(
                    "{\"a\":\n{\"shape\":[ ],\r\"data_offsets\":[0 , 1],\"dtype\":\"U8\"}}",
                    data: [1])) == nil)
        // Empty tensors anywhere, several at one offset, and any size beside a size of 0.
        #expect(
            refusal(
                framed(
                    #"{"c":{"dtype":"U8","shape":[0,9223372036854775807],"data_offsets":[1,1]},"#
                        + #""b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
                        + #""a":{"dtype":"F64","shape":[3,0],"data_offsets":[0,0]},"#
                        + #""":{"dtype":"F64","shape":[0],"data_offsets":[0,0]}}"#, data: [1]))
                == nil)
        #expect(
            refusal(
                framed(
                    #"{"a":{"dtype":"U8","shape":["#
                        + Array(repeating: "1", count: 64).joined(separator: ",")
                        + #"],"data_offsets":[0,1]}}"#, data: [1])) == nil)
    }

    @Test func escapesAreDecoded() throws {
        let header = #"{"__metadata__":{"k":"\"\\\/\b\f\n\r\t\u00e9\u00E9\ud83d\uDE00\u0000"}}"#
        let read = try SafeTensorsFile(bytes: framed(header), name: "x")
        #expect(read.metadata["k"] == "\"\\/\u{8}\u{C}\n\r\téé😀\0")
    }

    @Test func mistakesInAskingAreNamed() {
        let bytes = framed(
            #"{"big":{"dtype":"U64","shape":[2],"data_offsets":[0,16]},"#
                + #""odd":{"dtype":"BOOL","shape":[2],"data_offsets":[16,18]}}"#,
            data: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 2])
        let odd = try! SafeTensorsFile(bytes: bytes, name: "x")
        #expect(
            sentence { () throws(Problem) in _ = try odd.ints(of: "big") }
                == #"x, tensor "big", element 1: integer too large: found 9223372036854775808, expected at most 9223372036854775807"#
        )
        #expect(
            sentence { () throws(Problem) in _ = try odd.bools(of: "odd") }
                == #"x, tensor "odd", element 1: not a BOOL: found 2, expected 0 or 1"#)
        #expect(
            sentence { () throws(Problem) in _ = try odd.floats(of: "big") }
                == #"x, tensor "big": wrong dtype: found U64, expected F32, F16 or BF16"#)
        #expect(
            sentence { () throws(Problem) in _ = try odd.doubles(of: "odd") }
                == #"x, tensor "odd": wrong dtype: found BOOL, expected F64, F32, F16 or BF16"#)
        #expect(
            sentence { () throws(Problem) in _ = try odd.ints(of: "odd") }
                == #"x, tensor "odd": wrong dtype: found BOOL, expected an integer dtype"#)
        #expect(
            sentence { () throws(Problem) in _ = try odd.bools(of: "big") }
                == #"x, tensor "big": wrong dtype: found U64, expected BOOL"#)
        #expect(
            sentence { () throws(Problem) in _ = try odd.bytes(of: "bug") }
                == #"x, tensor "bug": no such tensor (did you mean "big"?)"#)
        #expect(
            sentence { () throws(Problem) in _ = try odd.entry("conv1.weight") }
                == #"x, tensor "conv1.weight": no such tensor (the file has 2 tensors)"#)
    }

    @Test func aMissingFileIsAnIOProblem() {
        do throws(Problem) {
            _ = try SafeTensorsFile(path: "no/such.safetensors")
            Issue.record("was read")
        } catch {
            #expect(error.kind == .io)
            #expect(
                error.description == "no/such.safetensors: cannot read: No such file or directory")
        }
    }

    @Test func filesAboveTheLimitAreNotRead() {
        #expect(
            sentence { () throws(Problem) in
                _ = try SafeTensorsFile(path: referencePath, limit: 1097)
            }
                == "\(referencePath): file too large: found 1098 bytes, expected at most 1097 bytes"
        )
    }
}
