import Diagnostics
import Foundation
import Testing

@Suite struct JSONTests {
    private struct Sample: Codable, Equatable {
        var path = "a/b"
        var losses = [1.5, Double.infinity, -Double.infinity]
        @OrNull var rate: Double?
        var absent: Int?
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func oneFormForEveryWriter() {
        let line = #"{"losses":[1.5,"inf","-inf"],"path":"a/b","rate":null}"#
        #expect(text(JSON.text(Sample())) == line)
        #expect(text(JSON.line(Sample())) == line + "\n")
        #expect(text(JSON.file(["b": 1, "a": 2])) == "{\n  \"a\" : 2,\n  \"b\" : 1\n}\n")
    }

    @Test func wordsForNumbersAreReadBack() throws {
        for sample in [Sample(), Sample(path: "", losses: [], rate: 0.25, absent: 3)] {
            #expect(try JSON.read(Sample.self, JSON.file(sample)) == sample)
        }
        #expect(try JSON.read([Double].self, JSON.line([Double.nan]))[0].isNaN)
        #expect(throws: DecodingError.self) { try JSON.read([Double].self, Array("[\"x\"]".utf8)) }
    }

    /// What an objective keeps passes through a value of no type.
    @Test func aValueWithoutATypeKeepsWhatItHolds() throws {
        let sample = Sample(rate: .nan)
        let value = try JSON(sample)
        #expect(JSON.text(value) == JSON.text(sample))
        let again = try JSON.read(JSON.self, JSON.file(value)).decoded(Sample.self)
        #expect(again.path == sample.path && again.losses == sample.losses)
        #expect(again.rate?.isNaN == true && again.absent == nil)
    }

    @Test func unknownIsNull() throws {
        // Also what can be written only.
        struct Row: Encodable { @OrNull var value: [Int]? }
        #expect(text(JSON.text(Row(value: nil))) == #"{"value":null}"#)
        #expect(text(JSON.text(Row(value: [1]))) == #"{"value":[1]}"#)
    }
}
