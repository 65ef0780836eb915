import Diagnostics
import Testing

@testable import Audit
@testable import AuditReports

@Suite struct AuditJSONTests {
    private func object(_ result: AuditResult) throws -> [String: JSON] {
        let bytes = AuditJSON(result, folder: "out", files: ["audit": "out/audit.csv"]).line
        #expect(bytes.last == 10 && bytes.count { $0 == 10 } == 1)
        guard case .object(let object) = try JSON.read(JSON.self, bytes) else { return [:] }
        return object
    }

    @Test func theShapeIsPinned() throws {
        let text = String(decoding: AuditJSON(Fixture.result(), folder: "out").line, as: UTF8.self)
        #expect(
            text == """
                {"annotators":[],"budget":null,"class-quality":[\
                {"class":"eel","label-quality":0.7,"missed":3,"wrongly-given":20},\
                {"class":"cat","label-quality":0.98,"missed":9,"wrongly-given":2}],\
                "classes":["cat","dog & <b>","eel"],"conflicts":0,"files":{},"folder":"out",\
                "learning":{"accuracy":null,"evidence":[{"auc":null,"column":"margin","weight":1.25},\
                {"auc":null,"column":"area-under-margin","weight":null}],"injected-auc":0.961,\
                "list":{"count":80,"expected-wrong":70.4,"high":0.93,"low":0.8180000000000001,\
                "precision":0.88,"recall":0.9090909090909091},"measured":null,\
                "noise-rate":{"estimate":0.41,"high":0.458,"low":0.361},"samples":200,\
                "true-noise-rate":null,\
                "useful":{"chance":0.1,"hits":0.551,"is-useless":false,"p":0.001}},\
                "name":"animals <3","outliers":0,\
                "overlaps":[{"classes":["cat","eel"],"samples":6,"share":0.031}],"report":null,"sheet":null,\
                "source":{"folds":5,"kind":"folds","method":"early-learning","seed":7},"test":null,\
                "transition":[[0.9,0.1,0],[0.06,0.91,0.03],[0,0.12,0.88]],"true-transition":null,\
                "warnings":[]}

                """)
        let pretty = AuditJSON(Fixture.result(), folder: "out").file
        #expect(try JSON.read(JSON.self, pretty) == JSON.read(JSON.self, Array(text.utf8)))
        #expect(pretty.count { $0 == 10 } > 20)
    }

    @Test func whatIsNotKnownIsNull() throws {
        let object = try object(Fixture.result(learning: Fixture.part(isUseless: true)))
        #expect(object["transition"] == .null && object["overlaps"] == .list([]))
        #expect(
            object["class-quality"] == .list([])
                && object["files"] == .object(["audit": .text("out/audit.csv")]))
        guard case .object(let learning) = object["learning"] else {
            Issue.record("not an object")
            return
        }
        #expect(learning["noise-rate"] == .null && learning["list"] == .null)
        #expect(learning["measured"] == .null && learning["true-noise-rate"] == .null)
    }

    @Test func onlyTheLargestOfManyPairsAreListed() throws {
        var result = Fixture.result()
        result.overlaps = (0..<5000).map {
            ClassOverlap(classes: [0, 1], samples: 5000 - $0, joint: 0.1)
        }
        guard case .list(let pairs) = try object(result)["overlaps"] else {
            Issue.record("no list")
            return
        }
        #expect(pairs.count == 200)
    }

    @Test func whatIsKnownIsThere() throws {
        var result = Fixture.result(
            learning: Fixture.part(truth: Fixture.truth()),
            test: Fixture.part(count: 50, wrong: 4, split: "test"), source: .file("p.npy"))
        result.testAccuracy = .init(all: 0.8, trusted: nil, trustedSamples: 0)
        result.trueTransition = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
        result.budget = Fixture.budget
        result.sheet = Fixture.sheet()
        result.conflicts = [[1, 2]]
        result.outliers = [4, 5, 6]
        let object = try object(result)
        #expect(object["source"] == .object(["kind": .text("file"), "file": .text("p.npy")]))
        #expect(object["conflicts"] == .int(1) && object["outliers"] == .int(3))
        #expect(
            object["budget"]
                == .object([
                    "count": .int(2), "gain": .number(0.0031),
                    "gain-by-probability": .number(0.0027),
                    "gain-at-random": .number(0.0008),
                ]))
        guard case .object(let test) = object["test"], case .object(let sheet) = object["sheet"],
            case .object(let learning) = object["learning"],
            case .object(let measured) = learning["measured"]
        else {
            Issue.record("not an object")
            return
        }
        #expect(
            test["accuracy"]
                == .object(["all": .number(0.8), "trusted": .null, "trusted-samples": .int(0)]))
        #expect(
            sheet["agrees-on-rate"] == .bool(true) && sheet["agrees-on-precision"] == .bool(true))
        #expect(sheet["unsure"] == .int(1))
        #expect(
            Set(measured.keys)
                == ["auc", "precision", "recall", "f1", "best-f1", "precision-at-recall-80"])
        #expect(measured["precision"] == .number(0.9) && measured["recall"] == .int(1))
        guard case .list(let evidence) = learning["evidence"],
            case .object(let first) = evidence.first
        else {
            Issue.record("not an object")
            return
        }
        #expect(first["auc"] == measured["auc"])
    }
}
