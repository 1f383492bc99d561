//! The commonest mistakes, and what the compiler says of them.

#[test]
fn mistakes_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("compile_fail/spawn_*.rs");
    cases.compile_fail("compile_fail/pool_*.rs");
    cases.compile_fail("compile_fail/executor_*.rs");
    cases.compile_fail("compile_fail/project_*.rs"); // quoted in book/project.md
}
