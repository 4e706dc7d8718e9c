package io.hpcrun;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.equivalentTo;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.properties.HasName;
import com.tngtech.archunit.core.domain.properties.HasOwner;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;

@AnalyzeClasses(packages = "io.hpcrun", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  void dependenciesPointOneWay(JavaClasses classes) {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("cli")
        .definedBy("io.hpcrun.cli..")
        .layer("site")
        .definedBy("io.hpcrun.site..")
        .layer("template")
        .definedBy("io.hpcrun.template..")
        .layer("jobfile")
        .definedBy("io.hpcrun.jobfile..")
        .layer("request")
        .definedBy("io.hpcrun.request..")
        .layer("planning")
        .definedBy("io.hpcrun.planning..")
        .layer("script")
        .definedBy("io.hpcrun.script..")
        .layer("plan")
        .definedBy("io.hpcrun.plan..")
        .layer("packing")
        .definedBy("io.hpcrun.packing..")
        .layer("policy")
        .definedBy("io.hpcrun.policy..")
        .layer("slurm")
        .definedBy("io.hpcrun.slurm..")
        .layer("timing")
        .definedBy("io.hpcrun.timing..")
        .layer("knowledge")
        .definedBy("io.hpcrun.spec..", "io.hpcrun.image..", "io.hpcrun.cluster..")
        .layer("pull")
        .definedBy("io.hpcrun.pull..")
        .layer("manifest")
        .definedBy("io.hpcrun.manifest..")
        .layer("difference")
        .definedBy("io.hpcrun.difference..")
        .layer("process")
        .definedBy("io.hpcrun.process..")
        .whereLayer("cli")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("difference")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("manifest")
        .mayOnlyBeAccessedByLayers("cli", "difference")
        .whereLayer("site")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("template")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("jobfile")
        .mayOnlyBeAccessedByLayers("cli", "template")
        .whereLayer("request")
        .mayOnlyBeAccessedByLayers("cli", "site", "template", "jobfile", "manifest", "difference")
        .whereLayer("planning")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("script")
        .mayOnlyBeAccessedByLayers("cli", "planning", "jobfile", "manifest")
        .whereLayer("plan")
        .mayOnlyBeAccessedByLayers("cli", "planning", "script", "manifest", "difference")
        .whereLayer("packing")
        .mayOnlyBeAccessedByLayers("request")
        .whereLayer("policy")
        .mayOnlyBeAccessedByLayers("cli", "site", "planning", "plan")
        .whereLayer("slurm")
        .mayOnlyBeAccessedByLayers("cli", "planning")
        .whereLayer("timing")
        .mayOnlyBeAccessedByLayers("cli", "request", "manifest", "difference")
        .whereLayer("process")
        .mayOnlyBeAccessedByLayers("cli", "slurm", "knowledge", "pull")
        .whereLayer("pull")
        .mayOnlyBeAccessedByLayers("cli", "request", "site")
        .check(classes);
  }

  @ArchTest
  void packagesHaveNoCycles(JavaClasses classes) {
    slices().matching("io.hpcrun.(*)..").should().beFreeOfCycles().check(classes);
  }

  @ArchTest
  void planAndScriptTouchNoFileClockOrProcess(JavaClasses classes) {
    noClasses()
        .that()
        .resideInAnyPackage("io.hpcrun.plan..", "io.hpcrun.script..", "io.hpcrun.packing..")
        .should()
        .dependOnClassesThat()
        .haveNameMatching(
            "java\\.io\\.(File.*|.*Stream|.*Reader|.*Writer)|java\\.nio\\.file\\.Files"
                + "|java\\.nio\\.channels\\..*|java\\.time\\..*Clock|java\\.lang\\.(System|Process.*|Runtime)"
                + "|java\\.util\\.Random|java\\.net\\..*")
        .check(classes);
  }

  @ArchTest
  void onlyOneClassStartsPrograms(JavaClasses classes) {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName("io.hpcrun.process.Programs")
        .and()
        .haveNameNotMatching("io\\.hpcrun\\.process\\.Programs\\$.*")
        .should()
        .dependOnClassesThat()
        .haveNameMatching("org\\.apache\\.commons\\.exec\\..*|java\\.lang\\.ProcessBuilder")
        .orShould()
        .callMethodWhere(
            JavaCall.Predicates.target(HasOwner.Predicates.With.owner(equivalentTo(Runtime.class)))
                .and(JavaCall.Predicates.target(HasName.Predicates.name("exec"))))
        .check(classes);
  }

  @ArchTest
  void theCommandLoadsNeitherLogbackNorDatabind(JavaClasses classes) {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("ch.qos.logback..", "tools.jackson.databind..", "org.yaml..")
        .check(classes);
  }
}
